package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/visit"
)

const (
	rangeFile    = 200 << 20 // bytes of the film
	rangeRound   = 256 << 20 // bytes of one round
	rangeRounds  = 11
	rangeReaders = 4 // connections at once
)

// ranges reads parts of a film from the kiosk, from nginx and from Go's own file server, in turns.
func ranges(ctx context.Context, dir string) (_ []row, err error) {
	if err := bigFilm(dir); err != nil {
		return nil, err
	}
	kiosk, err := startKiosk(ctx, filepath.Join(dir, "kiosk"), "--film", dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kiosk.Stop()) }()
	nginx, err := startNginx(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, nginx.Stop()) }()
	bare, err := startBare(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.Stop()) }()
	workers, err := childrenOf(nginx.Cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	all := []server{
		{kiosk.Base + "/film", []int{kiosk.Cmd.Process.Pid}},
		{nginx.Base + "/film.mp4", append(workers, nginx.Cmd.Process.Pid)},
		{bare.Base + "/film.mp4", []int{bare.Cmd.Process.Pid}}, // says what of a gap is net/http's
	}
	var rows []row
	for _, size := range []int64{64 << 10, 1 << 20, 8 << 20} {
		var speed, cpu [3][]float64
		for round := range rangeRounds + 1 {
			for i, s := range all {
				rate, used, err := s.read(size)
				if err != nil {
					return nil, err
				}
				if round > 0 { // the first fills the page cache
					speed[i], cpu[i] = append(speed[i], rate), append(cpu[i], used)
				}
			}
		}
		equality := fmt.Sprintf("a file of %d MB in the page cache, %d connections, random places; nginx with sendfile, %d workers, no log; medians of %d rounds",
			rangeFile>>20, rangeReaders, len(workers), rangeRounds)
		rows = append(rows,
			row{
				fmt.Sprintf("film, ranges of %d KiB", size>>10), fmt.Sprintf("%.2f GiB/s", median(speed[0])), fmt.Sprintf("%.2f GiB/s, nginx", median(speed[1])),
				times(median(speed[0]) / median(speed[1])), ">= 0.9",
				equality + fmt.Sprintf("; a bare http.ServeFile %.2f times nginx", median(speed[2])/median(speed[1])),
			},
			row{
				fmt.Sprintf("film, ranges of %d KiB, processor", size>>10), fmt.Sprintf("%.3f s a GiB", median(cpu[0])), fmt.Sprintf("%.3f s a GiB, nginx", median(cpu[1])),
				times(median(cpu[0]) / median(cpu[1])), "<= 1.2",
				fmt.Sprintf("the same; a bare http.ServeFile %.2f times nginx", median(cpu[2])/median(cpu[1])),
			})
	}
	return rows, nil
}

// bigFilm makes a folder with the demo film that is followed by filling, which players pass over.
func bigFilm(dir string) error {
	sheet := "id = \"bench\"\ntitle.id = \"Bench\"\ntitle.en = \"Bench\"\nfile = \"film.mp4\"\n"
	if err := os.WriteFile(filepath.Join(dir, "film.toml"), []byte(sheet), 0o644); err != nil {
		return err
	}
	clip, err := os.ReadFile(filmClip)
	if err != nil {
		return fmt.Errorf("%w (make demo-film puts it there)", err)
	}
	film := make([]byte, rangeFile)
	filling := film[copy(film, clip):]
	rand.NewChaCha8([32]byte{}).Read(filling)
	copy(filling, []byte{byte(len(filling) >> 24), byte(len(filling) >> 16), byte(len(filling) >> 8), byte(len(filling)), 'f', 'r', 'e', 'e'})
	return os.WriteFile(filepath.Join(dir, "film.mp4"), film, 0o644)
}

// startNginx serves a folder with Debian's nginx.
func startNginx(ctx context.Context, dir string) (*visit.Process, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return nil, fmt.Errorf("%w: run this part as make bench does, or install Debian's package nginx", err)
	}
	at, err := freeAddress()
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	settings := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`%s
daemon off;
worker_processes auto;
pid %[2]s/nginx.pid;
error_log %[2]s/nginx.log;
events {}
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  client_body_temp_path %[2]s/body; proxy_temp_path %[2]s/proxy; fastcgi_temp_path %[2]s/fastcgi; uwsgi_temp_path %[2]s/uwsgi; scgi_temp_path %[2]s/scgi;
  server {
    listen %[3]s;
    location = /healthz { return 200; }
    location / { root %[2]s; }
  }
}
`, user, dir, at)
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return visit.Start(sayingWhere(ctx, at, program, "-c", settings, "-e", "stderr"))
}

// server is a program that serves the file, and its processes.
type server struct {
	url  string
	pids []int
}

// read reads one round: GiB a second, and seconds of the server's processors for a GiB.
func (s server) read(size int64) (rate, cpu float64, err error) {
	before, err := s.used()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	each := rangeRound / size / rangeReaders
	if err := together(rangeReaders, func(int) error { return readRanges(s.url, size, each) }); err != nil {
		return 0, 0, err
	}
	took := time.Since(start)
	after, err := s.used()
	gib := float64(each*rangeReaders*size) / (1 << 30)
	return gib / took.Seconds(), (after - before).Seconds() / gib, err
}

func (s server) used() (sum time.Duration, err error) {
	for _, pid := range s.pids {
		used, err := visit.CPUOf(pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// readRanges asks one after the other on one connection. It does as little as it can: the
// server is what is measured.
func readRanges(url string, size, n int64) error {
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	in, buffer := bufio.NewReader(conn), make([]byte, 256<<10)
	for range n {
		from := rand.Int64N(rangeFile - size)
		if _, err := fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nRange: bytes=%d-%d\r\n\r\n", path, host, from, from+size-1); err != nil {
			return err
		}
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if r.StatusCode != http.StatusPartialContent || r.ContentLength != size {
			return fmt.Errorf("GET %s: %s, %d bytes", url, r.Status, r.ContentLength)
		}
		for left := size; left > 0; {
			n, err := io.ReadAtLeast(r.Body, buffer[:min(left, int64(len(buffer)))], 1)
			if err != nil {
				return err
			}
			left -= int64(n)
		}
	}
	return nil
}
