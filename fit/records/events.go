package records

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// maxEventBytes is more than any scalar event has; images and graphs of a larger size are skipped
// by length without being held.
const maxEventBytes = 16 << 20

// eventRun is the scalars of one folder of event files, which TensorBoard calls a run.
type eventRun struct {
	files []loggedFile
}

// loggedFile is the scalars of one file in the order of writing.
type loggedFile struct {
	name     string
	restarts []restart
	tags     metrics
	scalars  int
}

// restart is a SessionLog that says START: what stands before its record was logged before it.
type restart struct {
	step   int64
	record int32
}

// mostRestarts is how often the run of one file may begin anew.
const mostRestarts = 4096

// eventsFile reads the scalars of a TensorBoard event file. Each record is
//
//	length uint64 | masked crc32c of length | data | masked crc32c of data
//
// all little-endian. A record whose data differ from their checksum is dropped; a file that ends
// inside a record was being written, which is a warning; a length that differs from its checksum
// leaves nothing to go on and is an error.
//
// Source: tensorflow/core/lib/io/record_writer.h (format), event.proto and summary.proto (fields).
func (b *builder) eventsFile(name string, r io.Reader) error {
	text := bufio.NewReaderSize(r, 1<<16)
	b.in(name)
	f := loggedFile{name: name, tags: metrics{}}
	var buf []byte
	for record := 1; ; record++ {
		data, intact, err := nextRecord(text, &buf)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			b.warn("%s: the file ends inside record %d; what came before is used", name, record)
			break
		}
		if err != nil {
			return &Error{File: name, Line: record, Problem: err.Error()}
		}
		if !intact {
			b.lose(name, record, "the checksum of the record differs")
			continue
		}
		e, err := parseEvent(data)
		if err != nil {
			b.lose(name, record, "%v", err)
			continue
		}
		if e.start {
			f.restarts = append(f.restarts, restart{e.step, int32(record)})
		}
		if len(f.restarts) > mostRestarts {
			return &Error{
				File: name, Line: record,
				Problem: fmt.Sprintf("more than %d restarts; allowed: at most that", mostRestarts),
			}
		}
		for _, s := range e.scalars {
			f.scalars++
			m := f.tags.of(s.tag)
			m.points = append(m.points,
				point{e.step, quantity.Shortest(s.value), b.file, int32(record), e.time})
		}
	}
	folder := runOf(name)
	if b.events[folder] == nil {
		b.events[folder] = &eventRun{}
		b.order = append(b.order, folder)
	}
	run := b.events[folder]
	run.files = append(run.files, f)
	return nil
}

var eventTime = regexp.MustCompile(`tfevents\.(\d+)`)

// started is when an event file was begun, as its name says.
func started(name string) int64 {
	if m := eventTime.FindStringSubmatch(path.Base(name)); m != nil {
		n, _ := strconv.ParseInt(m[1], 10, 64)
		return n
	}
	return 0
}

// eventRows writes the runs of all event files. The files of a folder are one run, in the order of
// their beginnings. A later file, or a SessionLog START, that goes on from an earlier step is a
// restart: what was logged at that step or after is purged, as TensorBoard does.
//
// Source: tensorboard/backend/event_processing/plugin_event_accumulator.py (_Purge).
func (b *builder) eventRows() error {
	for _, folder := range b.order {
		run := b.events[folder]
		slices.SortStableFunc(run.files, func(a, c loggedFile) int {
			return cmp.Or(cmp.Compare(started(a.name), started(c.name)), cmp.Compare(a.name, c.name))
		})
		all, scalars := metrics{}, 0
		for i := range run.files {
			f := &run.files[i]
			if f.scalars == 0 {
				b.warn("%s: no scalars in the event file: skipped", f.name)
				continue
			}
			scalars += f.scalars
			f.into(all)
		}
		if scalars == 0 {
			continue
		}
		b.begin(part{path: folder}, "folders of TensorBoard events")
		b.metricRows(all, "tag", func() {})
	}
	b.events, b.order = nil, nil
	return nil
}

// into appends the values of a file to those of the run before it.
func (f *loggedFile) into(all metrics) {
	names := slices.Sorted(maps.Keys(f.tags))
	to, done := make([]*metric, len(names)), make([]int, len(names))
	for i, tag := range names {
		of := f.tags[tag]
		if to[i] = all.of(tag); len(f.restarts) == 0 {
			of.settle()
			to[i].abandon, to[i].repeat = append(to[i].abandon, of.abandon...), append(to[i].repeat, of.repeat...)
		}
	}
	upTo := func(record int32) {
		for i, tag := range names {
			points := f.tags[tag].points
			for ; done[i] < len(points) && points[done[i]].line < record; done[i]++ {
				p := points[done[i]]
				if last := len(to[i].points) - 1; last >= 0 && p.step < to[i].points[last].step {
					to[i].restart(p.step)
				}
				to[i].add(p)
			}
		}
	}
	for _, r := range f.restarts {
		upTo(r.record)
		for _, m := range all {
			m.restart(r.step)
		}
	}
	upTo(math.MaxInt32)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the checksum that the record format stores.
func maskedCRC(data []byte) uint32 {
	const mask = 0xa282ead8
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + mask
}

// nextRecord returns the data of a record, nil when they are too long for a scalar; they are good
// until the next call. The error is io.EOF between records, io.ErrUnexpectedEOF inside one.
func nextRecord(b *bufio.Reader, buf *[]byte) (data []byte, intact bool, err error) {
	var head [12]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return nil, false, err
	}
	if maskedCRC(head[:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, false, errors.New(
			"the checksum of a record's length differs; this is not a TensorBoard event file, or it is damaged")
	}
	length := binary.LittleEndian.Uint64(head[:8])
	if length > maxEventBytes {
		for rest := length + 4; rest > 0; {
			const most = 1 << 30
			part := min(rest, most)
			if _, err := b.Discard(int(part)); err != nil {
				return nil, false, io.ErrUnexpectedEOF
			}
			rest -= part
		}
		return nil, true, nil
	}
	if uint64(cap(*buf)) < length+4 {
		*buf = make([]byte, length+4)
	}
	data = (*buf)[:length+4]
	if _, err := io.ReadFull(b, data); err != nil {
		return nil, false, io.ErrUnexpectedEOF
	}
	data, sum := data[:length], data[length:]
	return data, maskedCRC(data) == binary.LittleEndian.Uint32(sum), nil
}
