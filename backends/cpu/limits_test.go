package cpu

import (
	"math"
	"os"
	"testing"
	"testing/fstest"
)

func TestCgroupLimit(t *testing.T) {
	const self, none = "proc/self/cgroup", math.MaxInt
	for name, c := range map[string]struct {
		want  int
		files map[string]string
	}{
		"no control groups": {none, nil},
		"version 2, in a container": {1 << 30,
			map[string]string{self: "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n"}},
		"version 2, no limit": {none, map[string]string{self: "0::/user.slice\n",
			"sys/fs/cgroup/user.slice/memory.max": "max\n"}},
		"version 2, a parent's limit": {5000, map[string]string{self: "0::/a/b/c\n",
			"sys/fs/cgroup/a/memory.max":   "5000\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/c/memory.max": "9000\n"}},
		"version 2, a path of the host": {7000, map[string]string{self: "0::/system.slice/docker-1.scope\n",
			"sys/fs/cgroup/memory.max": "7000\n"}},
		"version 1": {1 << 20, map[string]string{self: "5:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/x\n",
			"sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "1048576\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":          "9223372036854771712\n"}},
		"version 1, several controllers": {3000, map[string]string{self: "4:cpu,memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "3000"}},
		"hybrid": {2000, map[string]string{self: "4:memory:/\n0::/y\n",
			"sys/fs/cgroup/unified/y/memory.max": "2000\n"}},
		"other controllers": {none, map[string]string{self: "4:memorytest:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "3000\n"}},
		"nonsense": {none, map[string]string{self: "0::/\nx\n:::\n",
			"sys/fs/cgroup/memory.max": "-5 many\n"}},
		"leaving the root": {4000, map[string]string{self: "0::/../../etc\n",
			"sys/fs/cgroup/memory.max": "4000\n"}},
	} {
		root := fstest.MapFS{}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cgroupLimit(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestLeftFor(t *testing.T) {
	const mib, pages = 1 << 20, "131072 9 9 9 0 65536 0" // of 4 KiB: 512 and 256 MiB
	if page := os.Getpagesize(); page != 4096 {
		t.Skipf("pages have %d bytes", page)
	}
	for _, c := range []struct{ limit, field, want int }{
		{2048 * mib, 0, (2048 - 512 - 256) * mib}, {2048 * mib, 5, (2048 - 256 - 256) * mib},
		{712 * mib, 0, 100 * mib}, {100 * mib, 0, mib}, {1024 * mib, 9, 768 * mib},
	} {
		if got := leftFor(c.limit, pages, c.field); got != c.want {
			t.Errorf("of %d MiB, field %d: %d MiB, want %d", c.limit/mib, c.field, got/mib, c.want/mib)
		}
	}
}

func TestMemorySize(t *testing.T) {
	if n := memorySize(); n <= 0 || n > physicalMemory() {
		t.Errorf("%d bytes of %d", n, physicalMemory())
	}
}
