package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// maxShards bounds the files one index may name; the largest public models have a few hundred.
const maxShards = 4096

// readTensorFile reads a safetensors file and, where there is one, the config.json beside it.
func readTensorFile(name string, r io.Reader, size int64, rd *reader) (*Result, error) {
	header, err := tensors.ReadHeader(name, r, size)
	if err != nil {
		return nil, err
	}
	if m := shardName.FindStringSubmatch(name); m != nil && m[1] != "00001" {
		n, _ := strconv.Atoi(m[1])
		header.Partial = fmt.Sprintf("one of %d shards; the index beside them names all", n)
	}
	return beside(name, header, rd)
}

// shardName is how a checkpoint of several files names them.
var shardName = regexp.MustCompile(`-\d+-of-(\d+)\.safetensors$`)

// beside returns the tensors with the shape of the config.json in the same folder, and a warning
// for each disagreement of the two.
func beside(name string, header *tensors.Header, rd *reader) (*Result, error) {
	out := &Result{Format: Safetensors, Tensors: header, Fields: map[string]Field{}, file: name}
	if rd.Open == nil || name == "-" {
		return out, nil
	}
	target := path.Join(path.Dir(name), "config.json")
	f, err := rd.Open(target)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, syntax.ReadError(target, err)
	}
	defer f.Close()
	config, err := readFile(target, f, rd)
	var list *syntax.Error
	if errors.As(err, &list) {
		out.Warnings = append(out.Warnings, Warning{
			Position: list.Faults[0].Position,
			Text: "the configuration beside the tensors is not read: " +
				strings.TrimPrefix(list.Faults[0].String(), list.Faults[0].Position.String()+": "),
		})
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	config.Format = Safetensors
	config.Tensors = header
	if header.Partial != "" {
		config.Warnings = append(config.Warnings, Warning{
			Position: syntax.Position{File: name}, Text: "holds " + header.Partial + ": not compared",
		})
	}
	for _, d := range Compare(config, header) {
		config.Warnings = append(config.Warnings, Warning{Position: d.Position, Text: d.String()})
	}
	return config, nil
}

// isIndex reports whether a JSON object is a model.safetensors.index.json.
func isIndex(root *syntax.Node) bool {
	for _, f := range root.Fields {
		if f.Name == "weight_map" && f.Value.Kind == syntax.Object {
			return true
		}
	}
	return false
}

// readIndex reads the header of every shard that an index names.
func readIndex(name string, root *syntax.Node, rd *reader) (*Result, error) {
	in := newReading(name)
	s := newSection(in, root)
	m, _ := s.take("weight_map")
	shardOf := map[string]syntax.Field{}
	var order []string
	for _, f := range m.Value.Fields {
		if f.Value.Kind != syntax.Word || strings.ContainsAny(f.Value.Text, `/\`) || f.Value.Text == ".." {
			in.fault(f.Value.At, syntax.Quote(f.Name), "is in no file of this folder", f.Value.Show(),
				"the plain name of a .safetensors file")
			continue
		}
		if _, seen := shardOf[f.Value.Text]; !seen {
			order = append(order, f.Value.Text)
			shardOf[f.Value.Text] = f
		}
	}
	if len(order) > maxShards {
		in.fault(m.At, "weight_map", "names too many files", fmt.Sprint(len(order)),
			fmt.Sprintf("at most %d", maxShards))
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	all := &tensors.Header{}
	for _, shard := range order {
		header, err := rd.shard(shardOf[shard].Value, shard)
		if err != nil && rd.none(path.Dir(name), order) {
			return indexAlone(name, s, len(m.Value.Fields), rd)
		}
		if err != nil {
			return nil, err
		}
		for _, t := range header.Tensors {
			t.Shard = shard
			all.Tensors = append(all.Tensors, t)
		}
	}
	in.sameTensors(m, all)
	if err := in.err(); err != nil {
		return nil, err
	}
	return beside(name, all, rd)
}

// none reports whether no shard of an index is a safetensors file that is here.
func (rd *reader) none(folder string, shards []string) bool {
	if rd.Open == nil {
		return false
	}
	return !slices.ContainsFunc(shards, func(shard string) bool {
		if !strings.HasSuffix(shard, ".safetensors") {
			return false
		}
		f, err := rd.Open(path.Join(folder, shard))
		if err == nil {
			f.Close()
		}
		return err == nil
	})
}

// indexAlone returns what an index says whose files are not here, or cannot be read: the shape of
// the configuration beside it, or else what the size in bytes would mean.
func indexAlone(name string, s *section, held int, rd *reader) (*Result, error) {
	size := int64(0)
	if f, ok := s.take("metadata"); ok && f.Value.Kind == syntax.Object {
		inner := newSection(newReading(name), f.Value)
		if g, ok := inner.byName["total_size"]; ok {
			whole, _, _ := strings.Cut(g.Value.Text, ".")
			size, _ = strconv.ParseInt(whole, 10, 64)
		}
	}
	says := fmt.Sprintf("an index of %d tensors whose files are not here", held)
	if size > 0 {
		says += fmt.Sprintf(": %d bytes, which are %d parameters of 2 bytes or %d of 4", size,
			size/2, size/4)
	}
	out, err := beside(name, &tensors.Header{Partial: says}, rd)
	if err != nil {
		return nil, err
	}
	if out.Shape.DModel == 0 {
		return nil, syntax.FileError(name, "is "+says, "",
			"the .safetensors files, or a config.json, beside it")
	}
	return out, nil
}

// sameTensors checks that the shards hold what the index lists, no more and no less.
func (r *reading) sameTensors(m syntax.Field, all *tensors.Header) {
	listed := make(map[string]string, len(m.Value.Fields))
	for _, f := range m.Value.Fields {
		listed[f.Name] = f.Value.Text
	}
	held := make(map[string]bool, len(all.Tensors))
	for i := range all.Tensors {
		t := &all.Tensors[i]
		held[t.Name] = true
		if listed[t.Name] != t.Shard {
			r.fault(m.At, syntax.Quote(t.Name), "is in a shard but not in the index", t.Shard, "")
		}
	}
	for _, f := range m.Value.Fields {
		if !held[f.Name] {
			r.fault(f.At, syntax.Quote(f.Name), "is in the index but not in its shard", f.Value.Show(), "")
		}
	}
	if len(r.faults) > tensors.MaxFaults {
		r.faults = r.faults[:tensors.MaxFaults]
	}
}

// shard reads the header of one file of an index.
func (rd *reader) shard(from *syntax.Node, name string) (*tensors.Header, error) {
	target := path.Join(path.Dir(from.At.File), name)
	f, err := rd.opened(from.At, "weight_map", name, target)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return tensors.ReadHeader(target, f, tensors.DataSize(f))
}
