package records

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoded returns the text of r as UTF-8: a byte order mark is obeyed and dropped; without one, a
// zero byte among the first two says UTF-16.
func decoded(r io.Reader) *bufio.Reader {
	const window = 1 << 16
	b := bufio.NewReaderSize(r, window)
	start, _ := b.Peek(3)
	var encoding transform.Transformer
	switch {
	case bytes.HasPrefix(start, []byte{0xEF, 0xBB, 0xBF}):
		_, _ = b.Discard(3)
		return b
	case bytes.HasPrefix(start, []byte{0xFF, 0xFE}), bytes.HasPrefix(start, []byte{0xFE, 0xFF}):
		encoding = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case len(start) >= 2 && start[0] != 0 && start[1] == 0:
		encoding = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case len(start) >= 2 && start[0] == 0 && start[1] != 0:
		encoding = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	default:
		return b
	}
	return bufio.NewReaderSize(transform.NewReader(b, encoding), window)
}

// unixLines returns text whose lines end in a carriage return alone, all or some of them as tools of
// old Macs and pasted consoles leave them, with every end as a line feed. Other text is returned as
// it is.
func unixLines(text *bufio.Reader) *bufio.Reader {
	start, _ := text.Peek(text.Size())
	line, _, _ := bytes.Cut(start, []byte("\n"))
	if bytes.IndexByte(bytes.TrimSuffix(line, []byte("\r")), '\r') < 0 {
		return text
	}
	return bufio.NewReaderSize(&carriages{from: text}, text.Size())
}

// carriages turns carriage returns into line feeds, and those with a line feed behind into one.
type carriages struct {
	from  io.Reader
	after bool // the last byte was a carriage return
}

func (c *carriages) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	kept := p[:0]
	for _, b := range p[:n] {
		second := c.after && b == '\n'
		if c.after = b == '\r'; c.after {
			b = '\n'
		}
		if !second {
			kept = append(kept, b)
		}
	}
	return len(kept), err
}
