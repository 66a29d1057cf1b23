// Package faultfs is a disk for tests: a folder whose calls are counted, fail when a test says
// so, and are watched for what a power cut would take. It is a FUSE file system over a plain
// folder, so whatever program uses it meets true errors of the system. It needs root and
// /dev/fuse.
package faultfs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Kinds of calls.
const (
	Create  = "create"
	Open    = "open"
	Read    = "read"
	Write   = "write"
	Close   = "close"
	Sync    = "sync"
	Resize  = "resize"
	Rename  = "rename"
	Link    = "link"
	Unlink  = "unlink"
	Mkdir   = "mkdir"
	Rmdir   = "rmdir"
	List    = "list" // opening a folder, and reading what is in it
	SyncDir = "sync folder"
)

// Call is one call that reached the disk. Looking for a name, and access rights, are no calls.
type Call struct {
	Kind string
	Name string // the last part of it
}

func (c Call) String() string { return c.Kind + " " + c.Name }

// Disk is a mounted disk. Its methods may be called from any goroutine.
type Disk struct {
	Dir string // where it is mounted

	fuse.RawFileSystem
	mu       sync.Mutex
	calls    []Call
	fail     func(n int, c Call) syscall.Errno
	names    map[uint64]string // by node
	nodes    map[entry]uint64
	content  map[uint64]bool   // not synced
	entries  map[uint64]string // folders with a new name that was not synced
	unsynced []string
}

type entry struct {
	folder uint64
	name   string
}

// Mount mounts a disk until the test ends.
func Mount(t testing.TB) *Disk {
	t.Helper()
	root, err := fs.NewLoopbackRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{Dir: t.TempDir(), RawFileSystem: fs.NewNodeFS(root, &fs.Options{}),
		names: map[uint64]string{}, nodes: map[entry]uint64{}, content: map[uint64]bool{}, entries: map[uint64]string{}}
	server, err := fuse.NewServer(d, d.Dir, &fuse.MountOptions{DirectMountStrict: true, FsName: "faultfs", Name: "faultfs", IgnoreSecurityLabels: true})
	if err != nil {
		t.Fatalf("this test mounts a disk of its own, which needs root and /dev/fuse: %v", err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Fail(nil)
		if err := server.Unmount(); err != nil {
			t.Errorf("unmount: %v", err)
		}
		server.Wait()
	})
	return d
}

// Fail says which calls fail from now on, and begins to count them anew: fail gets a call and
// how many came before it, and gives its error, or 0. nil: none.
func (d *Disk) Fail(fail func(n int, c Call) syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls, d.fail, d.unsynced = nil, fail, nil
	clear(d.content)
	clear(d.entries)
}

// Calls gives the calls since Fail, those that failed included.
func (d *Disk) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// Unsynced says what a power cut could take although it has its final name: files that were
// renamed or linked before their content was synced, and names in folders that were not
// synced afterwards. Since Fail.
func (d *Disk) Unsynced() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := slices.Clone(d.unsynced)
	for _, name := range d.entries {
		out = append(out, name+": its name was not synced")
	}
	return out
}

// Folder makes a new folder on the disk.
func (d *Disk) Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(d.Dir, "f")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (d *Disk) call(kind string, node uint64, name string) fuse.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name == "" {
		name = d.names[node]
	}
	c := Call{kind, name}
	n := len(d.calls)
	d.calls = append(d.calls, c)
	if d.fail == nil {
		return fuse.OK
	}
	return fuse.Status(d.fail(n, c))
}

func (d *Disk) know(folder uint64, name string, node uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[node] = name
	d.nodes[entry{folder, name}] = node
}

func (d *Disk) changed(node uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.content[node] = true
}

// placed notes that a file got a name that others rely on.
func (d *Disk) placed(folder uint64, name string, node uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.content[node] {
		d.unsynced = append(d.unsynced, name+": its content was not synced before")
	}
	d.entries[folder] = name
	d.nodes[entry{folder, name}] = node
	d.names[node] = name
}

func (d *Disk) synced(node uint64, of map[uint64]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if of == nil {
		delete(d.entries, node)
	} else {
		delete(of, node)
	}
}

func (d *Disk) node(folder uint64, name string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nodes[entry{folder, name}]
}

// The calls of FUSE.

func (d *Disk) String() string { return "faultfs" }

func (d *Disk) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	s := d.RawFileSystem.Lookup(cancel, h, name, out)
	if s.Ok() {
		d.know(h.NodeId, name, out.NodeId)
	}
	return s
}

func (d *Disk) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if _, resize := in.GetSize(); resize {
		if s := d.call(Resize, in.NodeId, ""); !s.Ok() {
			return s
		}
		d.changed(in.NodeId)
	}
	return d.RawFileSystem.SetAttr(cancel, in, out)
}

func (d *Disk) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	if s := d.call(Mkdir, in.NodeId, name); !s.Ok() {
		return s
	}
	s := d.RawFileSystem.Mkdir(cancel, in, name, out)
	if s.Ok() {
		d.know(in.NodeId, name, out.NodeId)
	}
	return s
}

func (d *Disk) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if s := d.call(Unlink, h.NodeId, name); !s.Ok() {
		return s
	}
	return d.RawFileSystem.Unlink(cancel, h, name)
}

func (d *Disk) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if s := d.call(Rmdir, h.NodeId, name); !s.Ok() {
		return s
	}
	return d.RawFileSystem.Rmdir(cancel, h, name)
}

func (d *Disk) Rename(cancel <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	if s := d.call(Rename, in.NodeId, to); !s.Ok() {
		return s
	}
	s := d.RawFileSystem.Rename(cancel, in, from, to)
	if s.Ok() {
		d.placed(in.Newdir, to, d.node(in.NodeId, from))
	}
	return s
}

func (d *Disk) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	if s := d.call(Link, in.NodeId, name); !s.Ok() {
		return s
	}
	s := d.RawFileSystem.Link(cancel, in, name, out)
	if s.Ok() {
		d.placed(in.NodeId, name, in.Oldnodeid)
	}
	return s
}

func (d *Disk) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if s := d.call(Create, in.NodeId, name); !s.Ok() {
		return s
	}
	s := d.RawFileSystem.Create(cancel, in, name, out)
	if s.Ok() {
		d.know(in.NodeId, name, out.NodeId)
		d.changed(out.NodeId)
		out.OpenFlags |= fuse.FOPEN_DIRECT_IO
	}
	return s
}

func (d *Disk) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s := d.call(Open, in.NodeId, ""); !s.Ok() {
		return s
	}
	s := d.RawFileSystem.Open(cancel, in, out)
	if s.Ok() {
		out.OpenFlags |= fuse.FOPEN_DIRECT_IO
	}
	return s
}

func (d *Disk) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if s := d.call(Read, in.NodeId, ""); !s.Ok() {
		return nil, s
	}
	return d.RawFileSystem.Read(cancel, in, buf)
}

func (d *Disk) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if s := d.call(Write, in.NodeId, ""); !s.Ok() {
		return 0, s
	}
	d.changed(in.NodeId)
	return d.RawFileSystem.Write(cancel, in, data)
}

func (d *Disk) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	if s := d.call(Write, in.NodeId, ""); !s.Ok() {
		return 0, s
	}
	d.changed(in.NodeId)
	return d.RawFileSystem.Writev(cancel, in, data)
}

// CopyFileRange is not there, so that programs copy by reading and writing.
func (d *Disk) CopyFileRange(<-chan struct{}, *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	return 0, fuse.ENOSYS
}

func (d *Disk) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	if s := d.call(Close, in.NodeId, ""); !s.Ok() {
		return s
	}
	return d.RawFileSystem.Flush(cancel, in)
}

func (d *Disk) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if s := d.call(Sync, in.NodeId, ""); !s.Ok() {
		return s
	}
	d.synced(in.NodeId, d.content)
	return fuse.OK // of the computer's own disk nothing is asked
}

func (d *Disk) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if s := d.call(SyncDir, in.NodeId, ""); !s.Ok() {
		return s
	}
	d.synced(in.NodeId, nil)
	return fuse.OK
}

func (d *Disk) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s := d.call(List, in.NodeId, ""); !s.Ok() {
		return s
	}
	return d.RawFileSystem.OpenDir(cancel, in, out)
}

// Each carries an operation out again and again, each time in a new folder and with another one
// of its calls failing with this error: of calls of one kind to one name the first, and then the
// last; and of each kind the first with all later calls failing too. It begins with a run in
// which none does, which must succeed. prepare makes the folder ready and gives the operation;
// check gets the call that failed and the error of the operation. With kinds named only those fail.
func Each(t *testing.T, errno syscall.Errno, prepare func(t *testing.T, dir string) (operation func() error), check func(t *testing.T, dir string, failed Call, err error), kinds ...string) {
	t.Helper()
	d := Mount(t)
	one := func(fail func(n int, c Call) syscall.Errno) (dir string, calls []Call, err error) {
		dir = d.Folder(t)
		operation := prepare(t, dir)
		d.Fail(fail)
		err = operation()
		calls = d.Calls()
		d.Fail(nil)
		return dir, calls, err
	}
	_, calls, err := one(nil)
	if err != nil {
		t.Fatalf("on a sound disk: %v", err)
	}
	first, last := map[Call]int{}, map[Call]int{}
	seen := map[string]bool{}
	for i, c := range calls {
		if _, ok := first[c]; !ok {
			first[c] = i
		}
		last[c] = i
	}
	tried := 0
	for i, c := range calls {
		if len(kinds) > 0 && !slices.Contains(kinds, c.Kind) || i != first[c] && i != last[c] {
			continue
		}
		tried++
		try := func(name string, ever bool) {
			t.Run(name, func(t *testing.T) {
				failed := Call{}
				dir, _, err := one(func(n int, c Call) syscall.Errno {
					if n == i {
						failed = c
					}
					if n == i || ever && n > i {
						return errno
					}
					return 0
				})
				if failed == (Call{}) {
					t.Fatal("the operation went another way; the test shows nothing")
				}
				check(t, dir, failed, err)
			})
		}
		name := fmt.Sprintf("%d %s", i+1, c)
		try(name, false)
		if !seen[c.Kind] {
			try(name+" and all later ones", true)
		}
		seen[c.Kind] = true
	}
	if tried == 0 {
		t.Errorf("no call of the kinds %v among %v", kinds, calls)
	}
}

// Files reads all files below a folder, by their names with slashes.
func Files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
