package format

import "testing"

// Where the file system has no files without a name, new ones have one until they are complete.
func TestWithoutUnnamedFiles(t *testing.T) {
	old := canLink
	defer func() { canLink = old }()
	canLink = func() bool { return false }
	t.Run("WriteFile", TestWriteFile)
	t.Run("SaveOverSource", TestSaveOverSource)
}
