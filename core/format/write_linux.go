package format

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// canLink returns whether files without a name can be given one: that goes by their entry in /proc.
var canLink = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/self/fd")
	return err == nil
})

// openUnnamed makes a file without a name in a folder; nil where the file system has none.
func openUnnamed(folder string, mode fs.FileMode) *os.File {
	if !canLink() {
		return nil
	}
	f, err := os.OpenFile(folder+".", os.O_WRONLY|unix.O_TMPFILE, mode)
	if err != nil {
		return nil
	}
	return f
}

// link gives such a file a name that is not taken.
func link(f *os.File, name string) error {
	entry := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	return unix.Linkat(unix.AT_FDCWD, entry, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}

// reserve takes room for size bytes, without which writing could fail half way.
func reserve(f *os.File, size int64) error {
	for size > 0 {
		switch err := unix.Fallocate(int(f.Fd()), 0, 0, size); err {
		case unix.EINTR:
		case unix.EOPNOTSUPP, unix.ENOSYS:
			return nil // some file systems cannot
		default:
			return err
		}
	}
	return nil
}

// inheritAttributes gives f the extended attributes of old and no others, access lists among them.
func inheritAttributes(f, old *os.File) bool {
	from, to := int(old.Fd()), int(f.Fd())
	want, err1 := attributes(from)
	have, err2 := attributes(to)
	if err1 != nil || err2 != nil {
		return false
	}
	for name, value := range want {
		if v, ok := have[name]; (!ok || v != value) && unix.Fsetxattr(to, name, []byte(value), 0) != nil {
			return false
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok && unix.Fremovexattr(to, name) != nil {
			return false
		}
	}
	return true
}

func attributes(fd int) (map[string]string, error) {
	names, err := sized(func(b []byte) (int, error) { return unix.Flistxattr(fd, b) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	out := map[string]string{}
	for _, name := range slices.DeleteFunc(strings.Split(names, "\x00"), func(s string) bool { return s == "" }) {
		value, e := sized(func(b []byte) (int, error) { return unix.Fgetxattr(fd, name, b) })
		out[name], err = value, errors.Join(err, e)
	}
	return out, err
}

// sized calls get with as much room as it asks for.
func sized(get func([]byte) (int, error)) (string, error) {
	for {
		n, err := get(nil)
		if err != nil || n == 0 {
			return "", err
		}
		b := make([]byte, n)
		if n, err = get(b); err != unix.ERANGE { // it may have grown meanwhile
			return string(b[:max(n, 0)]), err
		}
	}
}
