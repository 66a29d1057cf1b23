package screening

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestShownGroups(t *testing.T) {
	for name, c := range map[string]struct {
		totals []int
		want   []Group
	}{
		"all large":                   {[]int{31, 17, 14, 11}, []Group{{[]int{0}, 31}, {[]int{1}, 17}, {[]int{2}, 14}, {[]int{3}, 11}}},
		"one small takes the next":    {[]int{31, 3, 14, 11}, []Group{{[]int{0}, 31}, {[]int{2}, 14}, {[]int{1, 3}, 14}}},
		"two small are enough":        {[]int{31, 7, 6, 11}, []Group{{[]int{0}, 31}, {[]int{3}, 11}, {[]int{1, 2}, 13}}},
		"two small are not enough":    {[]int{31, 4, 2, 11}, []Group{{[]int{0}, 31}, {[]int{1, 2, 3}, 17}}},
		"nobody is no small group":    {[]int{31, 0, 14, 0}, []Group{{[]int{0}, 31}, {[]int{1}, 0}, {[]int{2}, 14}, {[]int{3}, 0}}},
		"one small with nobody":       {[]int{12, 1, 0, 0}, []Group{{[]int{2}, 0}, {[]int{3}, 0}, {[]int{0, 1}, 13}}},
		"a handful is shown together": {[]int{2, 3, 1, 0}, []Group{{[]int{3}, 0}, {[]int{0, 1, 2}, 6}}},
		"nobody":                      {[]int{0, 0}, []Group{{[]int{0}, 0}, {[]int{1}, 0}}},
		"none":                        {nil, nil},
	} {
		if diff := cmp.Diff(c.want, MergeSmall(c.totals)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whoever knows the sum of all and what is shown learns of no group that few are in.
func TestShownGroupsHideTheSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		totals := rapid.SliceOfN(rapid.IntRange(0, 25), 0, 8).Draw(t, "totals")
		sum, seen := 0, []int{}
		shown := MergeSmall(totals)
		for _, g := range shown {
			n := 0
			for _, i := range g.Categories {
				n += totals[i]
			}
			if n != g.Total {
				t.Fatalf("%v of %v", g, totals)
			}
			sum += n
			seen = append(seen, g.Categories...)
			everybody := n == sumOf(totals) // their number is on the projector
			if n > 0 && n < Fewest && (!everybody || len(g.Categories) == 1 && len(nonZero(totals)) > 1) {
				t.Fatalf("%d people are shown by themselves in %v: %v", n, totals, shown)
			}
		}
		slices.Sort(seen)
		if sum != sumOf(totals) || len(seen) != len(totals) || len(slices.Compact(seen)) != len(totals) {
			t.Fatalf("%v shown as %v", totals, shown)
		}
	})
}

func TestHideRows(t *testing.T) {
	for name, c := range map[string]struct {
		rows [][]int
		want []bool
	}{
		"nothing is small":              {[][]int{{30, 12}, {14, 0}}, []bool{false, false}},
		"a small one takes the next":    {[][]int{{30, 12}, {40, 2}, {99, 90}}, []bool{true, true, false}},
		"two small ones are enough":     {[][]int{{30, 4}, {40, 6}, {99, 90}}, []bool{true, true, false}},
		"two small ones are not enough": {[][]int{{30, 4}, {40, 5}, {99, 90}, {50, 10}}, []bool{true, true, false, true}},
		"who has none does not help":    {[][]int{{30, 4}, {11, 0}, {99, 90}}, []bool{true, false, true}},
		"the only row":                  {[][]int{{30, 4}}, []bool{true}},
		"a small column":                {[][]int{{30, 4}, {30, 0}}, []bool{true, false}},
		"none":                          {nil, []bool{}},
	} {
		if diff := cmp.Diff(c.want, HideRows(c.rows)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 4).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 25), columns, columns), 0, 6).Draw(t, "rows")
		hidden := HideRows(rows)
		for j := range columns {
			all, left := 0, 0
			for i, row := range rows {
				all += row[j]
				if hidden[i] {
					left += row[j]
				} else if Few(row[j]) {
					t.Fatalf("%d is shown in %v: %v", row[j], rows, hidden)
				}
			}
			if Few(left) && left != all {
				t.Fatalf("column %d of %v: %d can be worked out: %v", j, rows, left, hidden)
			}
		}
	})
}

func sumOf(of []int) (n int) {
	for _, i := range of {
		n += i
	}
	return n
}

func nonZero(of []int) (out []int) {
	for _, n := range of {
		if n > 0 {
			out = append(out, n)
		}
	}
	return out
}
