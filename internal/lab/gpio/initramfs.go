package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// initramfs is the guest's file system: what stands where, taken from the host.
type initramfs map[string]string // path in the guest -> file here; "" is a folder

// add puts a file there, and every folder above it.
func (i initramfs) add(where, file string) {
	for d := path.Dir(where); d != "/"; d = path.Dir(d) {
		i[d] = ""
	}
	i[where] = file
}

// addFolder puts a whole folder there.
func (i initramfs) addFolder(where, folder string) error {
	return filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(folder, name) // both are below folder
			i.add(path.Join(where, rel), name)
		}
		return err
	})
}

// addProgram puts a dynamic program there with the libraries that it is linked to, where
// the host has them.
func (i initramfs) addProgram(where, file string) error {
	out, err := exec.Command("ldd", file).CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "not a dynamic executable") {
			i.add(where, file)
			return nil
		}
		return fmt.Errorf("ldd %s: %w: %s", file, err, out)
	}
	for line := range strings.Lines(string(out)) {
		for word := range strings.FieldsSeq(line) {
			if strings.HasPrefix(word, "/") {
				real, err := filepath.EvalSymlinks(word)
				if err != nil {
					return err
				}
				i.add(word, real)
			}
		}
	}
	i.add(where, file)
	return nil
}

// write makes the archive that the kernel unpacks: cpio, "newc".
func (i initramfs) write(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	names := make([]string, 0, len(i))
	for name := range i {
		names = append(names, name)
	}
	slices.Sort(names) // folders come before what is in them
	n := 0
	entry := func(name string, mode uint32, size int64, content io.Reader) error {
		n++
		fmt.Fprintf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", n, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name)+1, 0)
		out.WriteString(name + "\x00")
		pad(out, 110+len(name)+1)
		if content == nil {
			return nil
		}
		copied, err := io.Copy(out, content)
		if err == nil && copied != size {
			err = fmt.Errorf("%s changed while it was read", name)
		}
		pad(out, int(size))
		return err
	}
	for _, name := range names {
		inside := strings.TrimPrefix(name, "/")
		if i[name] == "" {
			if err := entry(inside, 0o040755, 0, nil); err != nil {
				return err
			}
			continue
		}
		content, err := os.Open(i[name])
		if err != nil {
			return err
		}
		info, err := content.Stat()
		if err == nil {
			err = entry(inside, 0o100755, info.Size(), content)
		}
		content.Close()
		if err != nil {
			return err
		}
	}
	if err := entry("TRAILER!!!", 0, 0, nil); err != nil {
		return err
	}
	return out.Flush() // a failed write before is remembered until here
}

func pad(out *bufio.Writer, length int) {
	for ; length%4 != 0; length++ {
		out.WriteByte(0)
	}
}
