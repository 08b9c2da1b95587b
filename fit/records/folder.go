package records

import (
	"io/fs"
	"path"
	"strings"
)

// ReadFolder returns the runs of a TensorBoard log folder, whose event files may lie in folders of
// their own, or of an MLflow folder. name is how the folder is called in messages. The error is an
// [*Error] or the file system's.
func ReadFolder(name string, folder fs.FS) (*Table, error) {
	var tables []*Table
	err := fs.WalkDir(folder, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(d.Name(), "tfevents") {
			return err
		}
		f, err := folder.Open(at)
		if err != nil {
			return err
		}
		defer f.Close()
		t, err := readEvents(path.Join(name, at), f)
		if err != nil {
			return err
		}
		tables = append(tables, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(tables) > 0 {
		return Join(tables...), nil
	}
	return readMLflow(name, folder)
}
