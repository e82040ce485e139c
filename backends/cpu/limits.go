package cpu

import (
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// memorySize is how many bytes this process may use: the machine's, or what its container or its resource limits
// grant if that is less. Beyond it the kernel would kill the process, where a MemoryError can still be handled.
func memorySize() int {
	n := physicalMemory()
	for _, which := range []int{syscall.RLIMIT_AS, syscall.RLIMIT_DATA} {
		var r syscall.Rlimit
		if syscall.Getrlimit(which, &r) == nil && r.Cur < uint64(n) {
			n = int(r.Cur)
		}
	}
	return min(n, cgroupLimit(os.DirFS("/")))
}

// cgroupLimit is the least memory limit of the control groups the process is in and of those above them, in version 2
// and version 1, or the largest int without one. Inside of a container, files may only show a part of the hierarchy
// that /proc/self/cgroup names: what is not there is skipped, and the root is looked at always.
func cgroupLimit(root fs.FS) int {
	limit := math.MaxInt
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return limit
	}
	// Lines are "0::/path" in version 2 and "number:controllers:/path" in version 1; a hybrid system has both.
	for _, line := range strings.Split(string(groups), "\n") {
		field := strings.SplitN(line, ":", 3)
		if len(field) < 3 {
			continue
		}
		var mounts []string
		file := "memory.limit_in_bytes"
		switch {
		case field[1] == "":
			mounts, file = []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}, "memory.max"
		case strings.Contains(","+field[1]+",", ",memory,"):
			mounts = []string{"sys/fs/cgroup/memory"}
		}
		for _, mount := range mounts {
			for group := path.Clean("/" + field[2]); ; group = path.Dir(group) {
				if b, err := fs.ReadFile(root, path.Join(mount, group, file)); err == nil {
					// "max" in version 2 is no number; version 1 has no limit beyond every machine's memory.
					if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 {
						limit = min(limit, int(n))
					}
				}
				if group == "/" {
					break
				}
			}
		}
	}
	return limit
}
