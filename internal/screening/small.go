package screening

import "slices"

// Fewest is how many people a group must have before anything of it is shown where many
// can see it: of a handful, everybody would know who.
const Fewest = 10

// Smallest is how many people must have answered before a result is shown: Fewest, or more
// where the kiosk's configuration asks for it.
func (p *Programme) Smallest() int { return max(p.ShareMinimum, Fewest) }

// Few says whether a group has people in it, but so few that no figure of it is shown.
func Few(n int) bool { return n > 0 && n < Fewest }

// Group is a group of categories as it may be shown: one, or several merged.
type Group struct {
	Categories []int // their places, in order
	Total      int
}

// MergeSmall merges categories that few people are in, so that every group that is shown
// has none, or at least Fewest. What is left over cannot be worked out from the sum of
// all: when one category alone is small, the next larger one is merged with it. Merged
// groups come last. totals are people by category.
func MergeSmall(totals []int) []Group {
	places := make([]int, len(totals))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return totals[a] - totals[b] })
	var merged Group
	for _, i := range places {
		n := totals[i]
		if n == 0 || n >= Fewest && (len(merged.Categories) == 0 || merged.Total >= Fewest) {
			continue
		}
		merged.Categories = append(merged.Categories, i)
		merged.Total += n
	}
	var out []Group
	for i, n := range totals {
		if !slices.Contains(merged.Categories, i) {
			out = append(out, Group{[]int{i}, n})
		}
	}
	if len(merged.Categories) > 0 {
		slices.Sort(merged.Categories)
		out = append(out, merged)
	}
	return out
}

// Groups gives the categories as they may be shown.
func (a *Attendance) Groups() []Group {
	var totals []int
	for _, c := range a.Categories {
		totals = append(totals, c.Total())
	}
	return MergeSmall(totals)
}

// HideRows says of which rows of a table the cells may not be shown, when the sums of all
// columns are known: rows with a small cell, and then the smallest others, until in every
// column the hidden cells together are none or at least Fewest, so that they cannot be
// worked out from a sum. Where a whole column has fewer people its sum must be hidden too.
// All rows have as many cells, none negative.
func HideRows(rows [][]int) []bool {
	hidden := make([]bool, len(rows))
	if len(rows) == 0 {
		return hidden
	}
	sums := make([]int, len(rows[0]))
	hide := func(i int) {
		hidden[i] = true
		for j, n := range rows[i] {
			sums[j] += n
		}
	}
	for i, row := range rows {
		if slices.ContainsFunc(row, Few) {
			hide(i)
		}
	}
	for {
		best, least := -1, 0
		for i, row := range rows {
			total, helps := 0, false
			for j, n := range row {
				total += n
				helps = helps || n > 0 && Few(sums[j])
			}
			if helps && !hidden[i] && (best < 0 || total < least) {
				best, least = i, total
			}
		}
		if best < 0 {
			return hidden
		}
		hide(best)
	}
}
