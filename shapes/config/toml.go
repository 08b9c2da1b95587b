package config

import (
	"regexp"
	"strings"
)

// argumentLine tells a list of a trainer's arguments (--num-layers 24), as in a launch script.
var argumentLine = regexp.MustCompile(`(?m)^\s*(?:[A-Z_]+=\(\s*)?--[a-z][\w-]*(?:[ =]|\s*\\?$)`)

// parseArguments returns the arguments of a list or launch script as an object: a name without a
// value is true.
func parseArguments(t *text) *node {
	root := &node{kind: object, at: Position{File: t.file, Line: 1, Column: 1}}
	offset := 0
	for line := range strings.Lines(string(t.bytes)) {
		start := offset
		offset += len(line)
		line, _, _ = strings.Cut(line, "#")
		line = strings.Trim(strings.TrimRight(strings.TrimSpace(line), `\`), "() ")
		if !strings.Contains(line, "--") {
			continue
		}
		words := strings.Fields(strings.ReplaceAll(line[strings.Index(line, "--"):], "=", " "))
		for i := 0; i < len(words) && len(root.fields) < maxGinBindings; i++ {
			key, ok := strings.CutPrefix(words[i], "--")
			if !ok {
				continue
			}
			value := &node{kind: boolean, at: t.at(start), text: "true"}
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
				value = scalarNode(strings.Trim(words[i+1], `"'`), t.at(start))
				i++
			}
			root.fields = append(root.fields, field{name: key, at: t.at(start), value: value})
		}
	}
	return root
}

// scalarNode returns a bare word as a number, true or false, or text.
func scalarNode(s string, at Position) *node {
	n := &node{kind: word, at: at, text: s}
	switch {
	case s == "true" || s == "false" || s == "True" || s == "False":
		n.kind, n.text = boolean, strings.ToLower(s)
	case tomlNumber.MatchString(s):
		n.kind, n.text = number, strings.ReplaceAll(s, "_", "")
	}
	return n
}

var (
	tomlNumber  = regexp.MustCompile(`^[+-]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)
	tomlSection = regexp.MustCompile(`^\[\s*([\w."'-]+)\s*\]$`)
	tomlKey     = regexp.MustCompile(`^([\w."'-]+)\s*=\s*(.+)$`)
)

// parseTOML reads the subset of TOML that configurations of trainers consist of: sections, keys, and
// values of one line. Lists, tables in one line and text of several lines are passed over, as no
// shape stands in them.
func parseTOML(t *text) (*node, error) {
	root := &node{kind: object, at: Position{File: t.file, Line: 1, Column: 1}}
	here := root
	offset, lines := 0, 0
	for line := range strings.Lines(string(t.bytes)) {
		start := offset
		offset += len(line)
		line = strings.TrimSpace(line)
		if lines++; lines > maxGinBindings {
			return nil, t.fail(start, "holds too many values", "", "a page of text")
		}
		if m := tomlSection.FindStringSubmatch(strings.TrimSpace(strings.Split(line, "#")[0])); m != nil {
			here = root
			for key := range strings.SplitSeq(m[1], ".") {
				here = here.child(strings.Trim(key, `"'`), t.at(start))
			}
			continue
		}
		m := tomlKey.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		target, key := here, m[1]
		for {
			head, rest, cut := strings.Cut(key, ".")
			if !cut {
				break
			}
			target, key = target.child(head, t.at(start)), rest
		}
		target.fields = append(target.fields, field{
			name: strings.Trim(key, `"'`), at: t.at(start), value: tomlValue(m[2], t.at(start)),
		})
	}
	return root, nil
}

// tomlValue reads a value up to its comment.
func tomlValue(s string, at Position) *node {
	if s[0] == '"' || s[0] == '\'' {
		if end := strings.IndexByte(s[1:], s[0]); end >= 0 {
			return &node{kind: word, at: at, text: s[1 : end+1]}
		}
	}
	bare, _, _ := strings.Cut(s, "#")
	return scalarNode(strings.TrimSpace(bare), at)
}

// child returns the section of a key, made if it is not there.
func (n *node) child(key string, at Position) *node {
	for _, f := range n.fields {
		if f.name == key && f.value.kind == object {
			return f.value
		}
	}
	inner := &node{kind: object, at: at}
	n.fields = append(n.fields, field{name: key, at: at, value: inner})
	return inner
}
