package check

import (
	"path"
	"strings"
)

// Match reports whether a path with slashes matches a glob: *, ? and [a-z] within one name, ** for
// any number of folders. A glob without a slash matches the last name of a path. A glob that is not
// well formed matches nothing.
func Match(glob, name string) bool {
	glob, name = path.Clean(glob), path.Clean(name)
	if !strings.Contains(glob, "/") && glob != "**" {
		name = path.Base(name)
	}
	return matchParts(strings.Split(glob, "/"), strings.Split(name, "/"))
}

// matchParts matches folder by folder. reach[j] says that the globs so far can match the first j
// names, so that many ** take no more than their product.
func matchParts(globs, names []string) bool {
	reach := make([]bool, len(names)+1)
	reach[0] = true
	for _, g := range globs {
		next := make([]bool, len(names)+1)
		if g == "**" {
			seen := false
			for j := range next {
				seen = seen || reach[j]
				next[j] = seen
			}
		} else {
			for j, name := range names {
				if ok, err := path.Match(g, name); reach[j] && ok && err == nil {
					next[j+1] = true
				}
			}
		}
		reach = next
	}
	return reach[len(names)]
}

func matchAny(globs []string, name string) bool {
	for _, g := range globs {
		if Match(g, name) {
			return true
		}
	}
	return len(globs) == 0
}
