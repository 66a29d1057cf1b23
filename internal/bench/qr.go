package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"

	"mimpi-kiosk/internal/lab/visit"
)

const (
	qrStarts = 7
	qrAgain  = 300 // times that each picture is asked for once more
)

// codes measures the pictures of QR codes: the first one of each start, and the same again.
func codes(ctx context.Context, dir string) ([]row, error) {
	if _, err := exec.LookPath("qrencode"); err != nil {
		return nil, errors.New("qrencode is not here: run this part as make bench does, or install Debian's package qrencode")
	}
	first, again, plain := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string][]time.Duration{}
	var nothing []time.Duration
	for run := range qrStarts {
		kiosk, err := startKiosk(ctx, filepath.Join(dir, fmt.Sprint(run)))
		if err != nil {
			return nil, err
		}
		for _, kind := range []string{"svg", "png"} {
			each, err := askFor(kiosk, "/qr/vote."+kind, 1+qrAgain)
			if err != nil {
				return nil, errors.Join(err, kiosk.Stop())
			}
			first[kind], again[kind] = append(first[kind], each[0]), append(again[kind], each[1:]...)
			begin := time.Now()
			if err := exec.CommandContext(ctx, "qrencode", "-l", "M", "-s", "12", "-t", kind, "-o", filepath.Join(dir, "vote."+kind), kiosk.Base+"/vote").Run(); err != nil {
				return nil, errors.Join(fmt.Errorf("qrencode: %w", err), kiosk.Stop())
			}
			plain[kind] = append(plain[kind], time.Since(begin))
		}
		begin := time.Now()
		if err := exec.CommandContext(ctx, "qrencode", "--version").Run(); err != nil {
			return nil, errors.Join(fmt.Errorf("qrencode: %w", err), kiosk.Stop())
		}
		nothing = append(nothing, time.Since(begin))
		if err := kiosk.Stop(); err != nil {
			return nil, err
		}
	}
	var rows []row
	for _, kind := range []string{"svg", "png"} {
		rows = append(rows,
			row{
				"QR code of /vote, " + kind + ", the first time", ms(median(first[kind])), ms(median(plain[kind])) + ", qrencode",
				times(float64(median(first[kind])) / float64(median(plain[kind]))), "",
				fmt.Sprintf("level M, an address as long, 12 pixels a module; ours by HTTP, qrencode as a program that starts (%s without a code)", ms(median(nothing))),
			},
			row{
				"QR code of /vote, " + kind + ", again, p50", ms(median(again[kind])), ms(median(plain[kind])) + ", qrencode",
				times(float64(median(again[kind])) / float64(median(plain[kind]))), "< 1 ms", "the same",
			})
	}
	return rows, nil
}

// askFor asks n times for a path on a connection that is there, and times each answer.
func askFor(kiosk *visit.Process, path string, n int) ([]time.Duration, error) {
	if _, err := fetch(kiosk.Base + "/favicon.svg"); err != nil {
		return nil, err
	}
	return oneByOne(n, func(int) error {
		size, err := fetch(kiosk.Base + path)
		if err == nil && size == 0 {
			err = fmt.Errorf("GET %s: nothing", path)
		}
		return err
	})
}

func fetch(url string) (int64, error) {
	r, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET %s: %s", url, r.Status)
	}
	return io.Copy(io.Discard, r.Body)
}
