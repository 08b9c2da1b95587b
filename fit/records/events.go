package records

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// maxEventBytes is more than any scalar event has; images and graphs of a larger size are skipped
// by length without being held.
const maxEventBytes = 16 << 20

// readEvents reads the scalars of a TensorBoard event file: one row a step, one column a tag. Each
// record is
//
//	length uint64 | masked crc32c of length | data | masked crc32c of data
//
// all little-endian. A record whose data differ from their checksum is dropped; a file that ends
// inside a record was being written, which is a warning; a length that differs from its checksum
// leaves nothing to go on and is an error.
//
// Source: tensorflow/core/lib/io/record_writer.h (format), event.proto and summary.proto (fields).
func readEvents(name string, r io.Reader) (*Table, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	t := newTable(nil)
	values := map[int64]map[string]float64{}
	lines := map[int64]int{}
	for record := 1; ; record++ {
		data, intact, err := nextRecord(b)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			t.Warnings = append(t.Warnings, fmt.Sprintf(
				"%s: the file ends inside record %d; what came before is used", name, record))
			break
		}
		if err != nil {
			return nil, &Error{File: name, Line: record, Problem: err.Error()}
		}
		if !intact {
			t.Lost = append(t.Lost, Lost{
				Origin{name, record},
				"the checksum of the record differs",
			})
			continue
		}
		e, err := parseEvent(data)
		if err != nil {
			t.Lost = append(t.Lost, Lost{Origin{name, record}, err.Error()})
			continue
		}
		for _, s := range e.scalars {
			if values[e.step] == nil {
				values[e.step], lines[e.step] = map[string]float64{}, record
			}
			values[e.step][s.tag] = s.value // a resumed run has the last word
		}
	}
	rows := builder{table: t, at: map[string]*column{}}
	steps := make([]int64, 0, len(values))
	for s := range values {
		steps = append(steps, s)
	}
	slices.Sort(steps)
	run := runOf(name)
	for _, s := range steps {
		rows.row(Origin{name, lines[s]})
		rows.put("run", run)
		rows.put("step", strconv.FormatInt(s, 10))
		tags := make([]string, 0, len(values[s]))
		for tag := range values[s] {
			tags = append(tags, tag)
		}
		slices.SortFunc(tags, cmp.Compare)
		for _, tag := range tags {
			rows.put(tag, quantity.Shortest(values[s][tag]))
		}
	}
	if t.Len() == 0 {
		return nil, &Error{File: name, Problem: "no scalars in the event file"}
	}
	return t, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the checksum that the record format stores.
func maskedCRC(data []byte) uint32 {
	const mask = 0xa282ead8
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + mask
}

// nextRecord returns the data of a record, nil when they are too long for a scalar. The error is
// io.EOF between records, io.ErrUnexpectedEOF inside one.
func nextRecord(b *bufio.Reader) (data []byte, intact bool, err error) {
	var head [12]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return nil, false, err
	}
	if maskedCRC(head[:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, false, errors.New(
			"the checksum of a record's length differs; this is no TensorBoard event file, or it is damaged")
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
	data = make([]byte, length+4)
	if _, err := io.ReadFull(b, data); err != nil {
		return nil, false, io.ErrUnexpectedEOF
	}
	data, sum := data[:length], data[length:]
	return data, maskedCRC(data) == binary.LittleEndian.Uint32(sum), nil
}
