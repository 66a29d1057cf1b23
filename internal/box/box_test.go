package box

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine makes the files of a machine below a folder.
func machine(t *testing.T, files map[string]string) *Watch {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		put(t, root, name, content)
	}
	return &Watch{Root: root, Data: t.TempDir(), Runtime: t.TempDir(), Now: func() string { return "19:42" },
		Set: func(health.Part) {}, Wrong: func(what string, err error) { t.Errorf("%s: %v", what, err) }}
}

func put(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// pi4 is what a Raspberry Pi 4 has, as its kernel writes it.
func pi4(more map[string]string) map[string]string {
	files := map[string]string{
		"proc/device-tree/model":                                 "Raspberry Pi 4 Model B Rev 1.4\x00",
		"proc/sys/kernel/random/boot_id":                         "b1\n",
		"proc/meminfo":                                           "MemTotal:        3885396 kB\nMemFree:         2712344 kB\nMemAvailable:    3214312 kB\n",
		"sys/class/hwmon/hwmon0/name":                            "cpu_thermal\n",
		"sys/class/hwmon/hwmon1/name":                            "rpi_volt\n",
		"sys/class/hwmon/hwmon1/in0_lcrit_alarm":                 "0\n",
		"sys/class/thermal/thermal_zone0/temp":                   "48686\n",
		"sys/devices/platform/soc/soc:firmware/get_throttled":    "0\n",
		"sys/fs/ext4/features/lazy_itable_init":                  "supported\n",
		"sys/fs/ext4/mmcblk0p2/errors_count":                     "0\n",
		"sys/block/mmcblk0/device/name":                          "SC32G\n", // an SD card has no life_time
		"sys/devices/platform/emmc2bus/fe340000.mmc/get_nothing": "",
	}
	for k, v := range more {
		files[k] = v
	}
	return files
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string]string
		part   string
		level  health.Level // "" is not there
		says   string
		remedy string
	}{
		{"power that is strong", pi4(nil), "power", health.OK, "strong", ""},
		{"power that is weak", pi4(map[string]string{"sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}), "power", health.Problem, "right now", "power supply"},
		{"a Pi whose driver is missing is not well", map[string]string{"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\x00"}, "power", health.Note, "cannot be measured", "raspberrypi_hwmon"},
		{"a laptop", nil, "power", "", "", ""},

		{"cool", pi4(nil), "heat", health.OK, "not hot", ""},
		{"hot", pi4(map[string]string{"sys/class/thermal/thermal_zone0/temp": "78400\n"}), "heat", health.Note, "hot (75", "lid"},
		{"too hot", pi4(map[string]string{"sys/class/thermal/thermal_zone0/temp": "83000\n"}), "heat", health.Problem, "80", "lid"},
		{"hot and throttled", pi4(map[string]string{"sys/class/thermal/thermal_zone0/temp": "80100\n", "sys/devices/platform/soc/soc:firmware/get_throttled": "60006\n"}), "heat", health.Problem, "slower", "lid"},
		{"throttled by weak power", pi4(map[string]string{"sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n"}), "heat", health.Note, "slower", "power"},
		{"throttled once, not now", pi4(map[string]string{"sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n"}), "heat", health.OK, "not hot", ""},
		{"no sensor", nil, "heat", "", "", ""},
		{"a sensor that lies", map[string]string{"sys/class/thermal/thermal_zone0/temp": "-274000\n"}, "heat", "", "", ""},

		{"a sound card", pi4(nil), "card", health.OK, "no errors", ""},
		{"a card with errors", pi4(map[string]string{"sys/fs/ext4/mmcblk0p2/errors_count": "7\n"}), "card", health.Problem, "mmcblk0p2) has had 7", "replace"},
		{"an eMMC at its end", pi4(map[string]string{"sys/block/mmcblk0/device/life_time": "0x01 0x0b\n"}), "card", health.Problem, "worn out", "replace"},
		{"an eMMC near its end", pi4(map[string]string{"sys/block/mmcblk0/device/life_time": "0x0a 0x02\n"}), "card", health.Note, "almost", "Replace"},
		{"an eMMC that is new", pi4(map[string]string{"sys/block/mmcblk0/device/life_time": "0x01 0x01\n", "sys/block/mmcblk0/device/pre_eol_info": "0x01\n"}), "card", health.OK, "", ""},
		{"an eMMC without reserve", pi4(map[string]string{"sys/block/mmcblk0/device/pre_eol_info": "0x03\n"}), "card", health.Problem, "worn", "replace"},
		{"no record", nil, "card", "", "", ""},

		{"enough memory", pi4(nil), "memory", health.OK, "enough", ""},
		{"little memory", pi4(map[string]string{"proc/meminfo": "MemAvailable:      81920 kB\n"}), "memory", health.Note, "little", "Restart"},
		{"no memory", pi4(map[string]string{"proc/meminfo": "MemAvailable:      20480 kB\n"}), "memory", health.Problem, "almost out", "Restart"},

		{"room on this machine's disk", nil, "disk", health.OK, "enough", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := machine(t, c.files)
			parts := w.Parts()
			if p := w.Power(); p != nil {
				parts = append(parts, *p)
			}
			var got health.Part
			for _, p := range parts {
				if p.Part == c.part {
					got = p
				}
			}
			if got.Level != c.level || !strings.Contains(got.Message["en"], c.says) || !strings.Contains(got.Hint["en"], c.remedy) {
				t.Errorf("got %+v", got)
			}
			bad := got.Level == health.Note || got.Level == health.Problem
			if c.level != "" && (got.Message["id"] == "" || (got.Hint["id"] != "") != bad || (got.Hint["en"] != "") != bad) {
				t.Errorf("sentences %+v", got)
			}
		})
	}
}

func TestSpace(t *testing.T) {
	for _, c := range []struct {
		free, inodes uint64
		readOnly     bool
		want         health.Level
	}{
		{4 << 30, 1e6, false, health.OK}, {400 << 20, 1e6, false, health.Note}, {20 << 20, 1e6, false, health.Problem},
		{4 << 30, 1500, false, health.Note}, {4 << 30, 3, false, health.Problem}, {4 << 30, 1e6, true, health.Problem},
	} {
		if got := spaceIn(c.free, c.inodes, c.readOnly); got.Level != c.want || (got.Hint == nil) != (c.want == health.OK) {
			t.Errorf("%+v gives %+v", c, got)
		}
	}
}

// board gathers what was set.
type board struct {
	mu    sync.Mutex
	parts map[string]health.Part
	news  chan struct{}
}

func watched(w *Watch) *board {
	b := &board{parts: map[string]health.Part{}, news: make(chan struct{}, 100)}
	w.Set = func(p health.Part) {
		b.mu.Lock()
		b.parts[p.Part] = p
		b.mu.Unlock()
		b.news <- struct{}{}
	}
	return b
}

func (b *board) until(t *testing.T, what string, f func(map[string]health.Part) bool) {
	t.Helper()
	for late := time.After(10 * time.Second); ; {
		b.mu.Lock()
		ok := f(b.parts)
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-b.news:
		case <-late:
			t.Fatalf("not seen: %s; the board is %+v", what, b.parts)
		}
	}
}

// The driver forgets, and so would a daemon that is started anew; the count stays until
// the next boot.
func TestDropsOfVoltageAreLatched(t *testing.T) {
	w := machine(t, pi4(nil))
	alarm := func(v string) { put(t, w.Root, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", v) }
	file, err := os.Open(w.alarm())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := w.readSags()
	for _, step := range []struct {
		alarm string
		count int
		level health.Level
	}{{"0", 0, health.OK}, {"1", 1, health.Problem}, {"1", 1, health.Problem}, {"0", 1, health.Note}, {"1", 2, health.Problem}, {"0", 2, health.Note}} {
		alarm(step.alarm + "\n")
		if s.look(file, w.Now) {
			w.keepSags(s)
		}
		if s.Count != step.count || s.part().Level != step.level {
			t.Errorf("alarm %s: %d drops, %+v", step.alarm, s.Count, s.part())
		}
	}
	if p := w.Power(); p.Level != health.Note || !strings.Contains(p.Message["en"], "2 times") || !strings.Contains(p.Message["id"], "19:42") {
		t.Errorf("a new daemon says %+v", p)
	}
	put(t, w.Root, "proc/sys/kernel/random/boot_id", "b2\n")
	if p := w.Power(); p.Level != health.OK {
		t.Errorf("after a new boot: %+v", p)
	}
}

// The card is tested while the kiosk runs: soon after the start, and then every half hour.
func TestTheCardIsTestedAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := machine(t, nil)
		var mu sync.Mutex
		tests := 0
		w.Set = func(p health.Part) {
			mu.Lock()
			defer mu.Unlock()
			if p.Part == "card_test" && p.Level == health.OK {
				tests++
			}
		}
		seen := func() int { synctest.Wait(); mu.Lock(); defer mu.Unlock(); return tests }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(time.Minute)
		if n := seen(); n != 1 {
			t.Errorf("%d tests of the card in the first minute", n)
		}
		time.Sleep(2 * time.Hour)
		if n := seen(); n != 5 {
			t.Errorf("%d tests of the card in two hours", n)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRun(t *testing.T) {
	w := machine(t, pi4(nil))
	w.Commits = &Commits{}
	b := watched(w)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	b.until(t, "all parts", func(p map[string]health.Part) bool {
		return p["power"].Level == health.OK && p["heat"].Level == health.OK && p["disk"].Level == health.OK &&
			p["card"].Level == health.OK && p["memory"].Level == health.OK && p["saving"].Level == health.OK
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// An attribute of sysfs that has news gives POLLPRI, as urgent data of TCP do.
func TestWaitForIsWokenByTheKernel(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialled.Close()
	taken, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file, err := taken.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	raw, err := dialled.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		_ = raw.Control(func(fd uintptr) { _ = unix.Sendto(int(fd), []byte{1}, unix.MSG_OOB, nil) }) // or the wait is too long
	})
	begin := time.Now()
	if !waitFor(t.Context(), file, time.Minute) || time.Since(begin) > 20*time.Second {
		t.Errorf("woken after %v", time.Since(begin))
	}

	// A plain file never has news; the end of ctx wakes it.
	plain, err := os.Open("box.go")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if !waitFor(t.Context(), plain, 20*time.Millisecond) {
		t.Error("the time did not end the wait")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if begin := time.Now(); waitFor(ctx, plain, time.Minute) || time.Since(begin) > 20*time.Second {
		t.Errorf("ended after %v", time.Since(begin))
	}
}

func TestProbe(t *testing.T) {
	p := ProbeCard(t.TempDir())
	if p.Err != nil || p.Write <= 0 || p.Read <= 0 || p.Part().Level != health.OK && p.Write < limp {
		t.Errorf("this disk: %+v", p)
	}
	if runtime.GOOS == "linux" {
		dir, err := os.MkdirTemp("/dev/shm", "probe") // no O_DIRECT in older kernels
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if p := ProbeCard(dir); p.Err != nil {
			t.Errorf("memory disk: %+v", p)
		}
	}
	if p := ProbeCard("/nonexistent"); p.Err == nil || p.Part().Level != health.Problem {
		t.Errorf("nowhere: %+v", p)
	}
	if p := ProbeCard("/proc"); p.Err == nil {
		t.Errorf("/proc takes a file: %+v", p)
	}
	for _, c := range []struct {
		probe Probe
		want  health.Level
	}{
		{Probe{Write: 20 * time.Millisecond}, health.OK},
		{Probe{Write: 3 * time.Second}, health.Note},
		{Probe{Read: 3 * time.Second}, health.Note},
		{Probe{Err: errOther}, health.Problem},
		{Probe{Err: &os.PathError{Err: syscall.EIO}}, health.Problem},
		{Probe{Err: &os.PathError{Err: syscall.ENOSPC}}, health.Note},
		{Probe{Err: &os.PathError{Err: syscall.EROFS}}, health.Note},
	} {
		if got := c.probe.Part(); got.Level != c.want || got.Message["id"] == "" {
			t.Errorf("%+v gives %+v", c.probe, got)
		}
	}
	if _, err := readPastCache("/nonexistent"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestSlowCommitsAreSaid(t *testing.T) {
	w := machine(t, nil)
	w.Commits = &Commits{}
	for range 40 {
		w.Commits.Took(10 * time.Millisecond)
	}
	if p := w.saving(); p.Level != health.OK {
		t.Errorf("fast: %+v", p)
	}
	w.Commits.Took(1500 * time.Millisecond)
	if p := w.saving(); p.Level != health.OK {
		t.Errorf("slow once: %+v", p)
	}
	w.Commits.Took(1500 * time.Millisecond)
	w.Commits.Took(1800 * time.Millisecond)
	if p := w.saving(); p.Level != health.Note || !strings.Contains(p.Message["en"], "1.8") {
		t.Errorf("slow: %+v", p)
	}
	for range 40 {
		w.Commits.Took(10 * time.Millisecond)
	}
	if p := w.saving(); p.Level != health.OK {
		t.Errorf("fast again: %+v", p)
	}
}
