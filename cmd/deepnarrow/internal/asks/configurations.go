package asks

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/reports/check"
)

// Configurations finds the model configurations below the working directory and returns globs that match
// each of them and no other file: the usual ones where they do, then those of a folder, then names. What
// is in hidden folders, or was installed there, is nobody's own.
func (f *Files) Configurations(usual []string) []string {
	var files []string
	tree := func(start string) (fs.FS, error) { return os.DirFS(start), nil }
	for _, ending := range []string{".json", ".yaml", ".yml", ".gin", ".safetensors"} {
		found, _ := host.Expand("**/*"+ending, mostFiles, check.Match, tree)
		for _, name := range found {
			files = append(files, filepath.ToSlash(name))
		}
	}
	const most = 1000 // files that are read: a second or two
	ours, read := map[string]bool{}, 0
	for _, name := range files {
		foreign := slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
			return strings.HasPrefix(part, ".") || part == "node_modules" || part == "site-packages"
		})
		if k, known := f.kind(name); foreign || read == most || known && !k.read("count") {
			continue
		}
		read++
		_, _, err := f.Shape(name)
		ours[name] = err == nil
	}
	var globs []string
	covered := map[string]bool{}
	try := func(glob string) {
		var mine []string
		for _, name := range files {
			if check.Match(glob, name) {
				if mine = append(mine, name); !ours[name] {
					return
				}
			}
		}
		if slices.ContainsFunc(mine, func(name string) bool { return !covered[name] }) {
			globs = append(globs, glob)
			for _, name := range mine {
				covered[name] = true
			}
		}
	}
	for _, glob := range usual {
		try(glob)
	}
	for _, name := range files {
		if !ours[name] || covered[name] {
			continue
		}
		if top, _, inside := strings.Cut(name, "/"); inside {
			try(top + "/**/*" + path.Ext(name))
		}
		if !covered[name] && strings.Contains(name, "/") {
			try(path.Dir(name) + "/*" + path.Ext(name))
		}
		if !covered[name] {
			try(name)
		}
	}
	return globs
}
