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
	pages, _ := os.ReadFile("/proc/self/statm")
	for which, field := range map[int]int{syscall.RLIMIT_AS: 0, syscall.RLIMIT_DATA: 5} {
		var r syscall.Rlimit
		if syscall.Getrlimit(which, &r) == nil && r.Cur < uint64(n) {
			n = leftFor(int(r.Cur), string(pages), field)
		}
	}
	return min(n, cgroupLimit(os.DirFS("/")))
}

// others is what arrays leave of a limit that counts address space: Go's heap and Python's grow, too, and the Go
// runtime ends the process when it is refused memory.
const others = 256 << 20

// leftFor is the part of a resource limit that arrays may fill, when the process already has as many pages as that
// field of /proc/self/statm says.
func leftFor(limit int, statm string, field int) int {
	if fields := strings.Fields(statm); field < len(fields) {
		pages, _ := strconv.Atoi(fields[field])
		limit -= pages * os.Getpagesize()
	}
	return max(limit-min(others, limit/2), 1<<20)
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
