package collect

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// startPostgres starts Debian's PostgreSQL on a free port, with a password and without
// its flushes to disk, and stops it when the test ends. As root it runs it as nobody.
func startPostgres(t *testing.T) (address string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Fatal("PostgreSQL is missing: apt-get install postgresql, or run the tests by make")
	}
	bin := found[len(found)-1]
	dir, err := os.MkdirTemp("", "mimpi-postgres-") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("s3cret"), 0o644); err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, as
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "--no-sync", "-D", data, "-U", "owner", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256", "--pwfile="+secret).CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	var log bytes.Buffer
	server := command("postgres", "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir, "-c", "fsync=off")
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(os.Interrupt) // fast shutdown
		server.Wait()
	})
	address = fmt.Sprintf("postgres://owner:s3cret@127.0.0.1:%d/postgres?sslmode=disable", port)
	deadline := time.Now().Add(time.Minute)
	for {
		db, _, err := openDatabase(address)
		if err != nil {
			t.Fatal(err)
		}
		err = db.PingContext(t.Context())
		db.Close()
		if err == nil {
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL does not answer: %v\n%s", err, log.String())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestDatabases(t *testing.T) {
	for name, address := range map[string]func(t *testing.T) string{
		"PostgreSQL": startPostgres,
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "pemutaran #1?.sqlite") },
	} {
		t.Run(name, func(t *testing.T) { storeContract(t, address(t)) })
	}
}

// storeContract is what any database must do.
func storeContract(t *testing.T, to string) {
	stick, all := evenings(t, 20)
	evil := evening(t, 98)
	p := evil.Journal[1].Event.(screening.ScreeningPlanned)
	p.Details.Venue = "Robert'); DROP TABLE screenings;-- \x00"
	evil.Journal[1].Event = p
	write(t, evil, stick, nil)
	all = append(all, evil)
	r := collect(t, Options{Rehearsals: true}, stick)
	expect(t, r, 21)

	// Two coordinators at once: everything is there once.
	var both sync.WaitGroup
	var sums [2]Stored
	for i := range sums {
		both.Go(func() {
			var err error
			if sums[i], err = Store(t.Context(), to, r); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if sums[0].New+sums[1].New != 21 || sums[0].Same+sums[1].Same != 21 {
		t.Errorf("stored %+v and %+v", sums[0], sums[1])
	}
	db, d, err := openDatabase(to)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	agree := func() {
		t.Helper()
		mine := facts(t, all)
		rows := 0
		for _, kode := range texts(t, mine, `SELECT DISTINCT kode FROM facts`) {
			for _, sex := range []string{"female", "male"} {
				want := number(t, mine, `SELECT sum(people) FROM facts WHERE NOT rehearsal AND kode = $1 AND sex = $2`, kode, sex)
				got := number(t, db, `SELECT sum(people) FROM `+d.schema+`attendance_by_regency WHERE kode_kemendagri = $1 AND sex = $2`, kode, sex)
				if got != want {
					t.Errorf("%s in %s: %d, want %d", sex, kode, got, want)
				}
				rows++
			}
		}
		if rows < 10 {
			t.Errorf("only %d sums were compared", rows)
		}
		for phase, before := range map[string]bool{"before": true, "after": false} {
			want := number(t, mine, `SELECT count(*) FROM facts WHERE NOT rehearsal AND before = $1 AND question = 'fee' AND option = 'a'`, before)
			got := number(t, db, `SELECT sum(people) FROM `+d.schema+`poll_results WHERE phase = $1 AND question = 'fee' AND "option" = 'a'`, phase)
			if got != want || want == 0 {
				t.Errorf("right answers, before %t: %d, want %d", before, got, want)
			}
		}
	}
	agree()
	if venue := texts(t, db, `SELECT venue FROM `+d.schema+`screenings WHERE session_id = $1`, evil.ID); !slices.Equal(venue, []string{"Robert'); DROP TABLE screenings;-- "}) {
		t.Errorf("the venue is %q", venue)
	}

	// One evening goes on: it is brought up to date. The old stick comes again: nothing is lost.
	longer := *all[0]
	last := longer.Journal[len(longer.Journal)-1]
	last.Seq++
	last.Event = screening.AttendanceCorrected{Category: "woman", Delta: 11, Reason: "recount"}
	longer.Journal = append(slices.Clone(longer.Journal), last)
	added := longer.Facts[0]
	added.Sex, added.Age, added.People = "female", "18+", 11
	longer.Facts = append(slices.Clone(longer.Facts), added)
	other := t.TempDir()
	write(t, &longer, other, nil)
	if got, err := Store(t.Context(), to, collect(t, Options{Rehearsals: true}, other)); err != nil || got.Changed != 1 || got.New != 0 {
		t.Errorf("%+v %v", got, err)
	}
	all[0] = &longer
	agree()
	if got, err := Store(t.Context(), to, r); err != nil || got.Longer != 1 || got.Same != 20 {
		t.Errorf("%+v %v", got, err)
	}
	agree()

	// Another history under a known id is told, and not stored.
	stranger := *all[1]
	stranger.Journal = slices.Clone(stranger.Journal)
	stranger.Journal[9].Stamp.Mono++
	third := t.TempDir()
	write(t, &stranger, third, nil)
	got, err := Store(t.Context(), to, collect(t, Options{Rehearsals: true}, third))
	if err != nil || !slices.Equal(got.Conflicts, []string{stranger.ID}) || len(got.Problems()) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	agree()

	storesWhatTheKioskSigned(t, to, db, d)

	// Broken off in the middle: all or nothing.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	write(t, province.Make(3, 500, small), third, nil)
	if _, err := Store(ctx, to, collect(t, Options{Rehearsals: true}, third)); err == nil {
		t.Error("stored after the context had ended")
	}
	agree()
}

// storesWhatTheKioskSigned: nothing takes the place of what a kiosk signed but what is signed
// by the same key, or by one that the list of known keys has. What it stores it takes away.
func storesWhatTheKioskSigned(t *testing.T, to string, db *sql.DB, d dialect) {
	key, stranger := newKey(t), newKey(t)
	e, second, third := evening(t, 80), evening(t, 80+province.Kiosks), evening(t, 80+2*province.Kiosks)
	put := func(k *export.Key, opts Options, all ...*province.Evening) Stored {
		t.Helper()
		stick := t.TempDir()
		for _, e := range all {
			write(t, e, stick, k)
		}
		got, err := Store(t.Context(), to, collect(t, opts, stick))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	is := func(what string, e *province.Evening, more int, k *export.Key) {
		t.Helper()
		where := d.schema + `screenings WHERE session_id = $1`
		if got, want := number(t, db, `SELECT people FROM `+where, e.ID), people(e)+more; got != want {
			t.Errorf("%s: %d people, want %d", what, got, want)
		}
		if got, want := number(t, db, `SELECT sum(net_count) FROM `+d.schema+`attendance WHERE session_id = $1`, e.ID), people(e)+more; got != want {
			t.Errorf("%s: %d people in groups, want %d", what, got, want)
		}
		if got := texts(t, db, `SELECT signing_key FROM `+where, e.ID); !slices.Equal(got, []string{k.Public()}) {
			t.Errorf("%s: signed by %v", what, got)
		}
	}
	expectStored := func(what string, got, want Stored) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		if n := len(want.Strange) + len(want.Replaced) + len(want.NewKeys); len(got.Problems()) != n {
			t.Errorf("%s: %d problems, want %d", what, len(got.Problems()), n)
		}
		for _, p := range got.Problems() {
			if p.Level != Doubt || p.What.ID == "" || p.What.EN == "" || p.Do.ID == "" || p.Do.EN == "" {
				t.Errorf("%s: %+v", what, p)
			}
		}
	}
	expectStored("signed", put(key, Options{}, e), Stored{New: 1})
	expectStored("unsigned continuation", put(nil, Options{}, longer(e, 500)), Stored{Strange: []string{e.ID}})
	expectStored("a stranger's continuation", put(stranger, Options{}, longer(e, 500)), Stored{Strange: []string{e.ID}})
	expectStored("a stranger's copy", put(stranger, Options{}, e), Stored{Strange: []string{e.ID}})
	is("after all that", e, 0, key)
	expectStored("a new key that is listed", put(stranger, Options{Keys: map[string][]string{e.Kiosk: {stranger.Public()}}}, longer(e, 7)), Stored{Changed: 1})
	is("a new key that is listed", e, 7, stranger)
	expectStored("an evening without a signature", put(nil, Options{}, longer(second, 500)), Stored{New: 1, NewKeys: []string{e.Kiosk}})
	expectStored("the kiosk's own, shorter", put(stranger, Options{}, second), Stored{Replaced: []string{second.ID}})
	is("the kiosk's own, shorter", second, 0, stranger)
	expectStored("a third key", put(newKey(t), Options{}, third), Stored{New: 1, NewKeys: []string{e.Kiosk}})
	for _, e := range []*province.Evening{e, second, third} {
		if _, err := db.Exec(`DELETE FROM `+d.schema+`screenings WHERE session_id = $1`, e.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestDatabaseErrorsKeepThePassword(t *testing.T) {
	r := &Result{}
	for _, to := range []string{
		"postgres://me:hunter2@127.0.0.1:1/x?connect_timeout=1&sslmode=disable",
		"postgres://me:hunter2@[::1/x",
		"postgresql://me:hunter2@127.0.0.1:99999/x",
		filepath.Join(t.TempDir(), "no", "such.sqlite"),
	} {
		_, err := Store(t.Context(), to, r)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gave %v", to, err)
		}
	}
	file := filepath.Join(t.TempDir(), "x.sqlite")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Store(t.Context(), file, r); err == nil || !strings.Contains(err.Error(), "SQLite") {
		t.Errorf("a file that is no database gave %v", err)
	}
	if u, err := url.Parse(withoutPassword("postgres://me:hunter2@h/x")); err != nil || strings.Contains(u.String(), "hunter2") {
		t.Errorf("%v %v", u, err)
	}
}
