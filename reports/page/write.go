package page

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

var (
	//go:embed style.css
	style static
	//go:embed script.js
	script static
)

func (m *markup) page(v *view) {
	m.raw(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>`).say(v.Title).raw("</title>\n<style>\n").raw(style).raw("</style>\n</head>\n<body>\n<header>\n")
	m.raw("<h1>").say(v.Title).raw("</h1>\n")
	m.raw(`<p class="soft">`)
	if v.Date != "" {
		m.say(v.Date).raw(". ")
	}
	m.raw("Written by deepnarrow ").say(v.Version).raw(". ").say(levelNote).raw("</p>\n")
	if len(v.Sections) > 1 {
		m.raw(`<nav aria-label="Sections">`)
		for i := range v.Sections {
			s := &v.Sections[i]
			m.raw("<a").attr("href", "#"+s.ID).raw(">").say(s.Link).raw("</a>")
		}
		m.raw("</nav>\n")
	}
	m.raw("</header>\n<main>\n")
	for i := range v.Sections {
		m.section(&v.Sections[i])
	}
	m.raw("</main>\n<script>\n").raw(script).raw("</script>\n</body>\n</html>\n")
}

func (m *markup) section(s *section) {
	m.raw("<section").attr("id", s.ID).raw(">\n<h2>").say(s.Heading).raw("</h2>\n")
	if s.File != "" {
		m.raw(`<p class="file soft">`).say(s.File).raw("</p>\n")
	}
	m.command(s.Command)
	if len(s.Warnings) > 0 {
		m.raw(`<div class="warnings"><b>Warnings</b><ul>`)
		for _, warning := range s.Warnings {
			m.raw("<li>").say(warning).raw("</li>")
		}
		m.raw("</ul></div>\n")
	}
	for i := range s.First {
		m.table(&s.First[i])
	}
	if s.ID == compareID { // tables before the drawing
		m.tables(s.Tables)
		m.charts(nil, s.Plots)
		m.raw("</section>\n")
		return
	}
	for i := range s.Subjects {
		m.subject(&s.Subjects[i])
	}
	m.charts(nil, s.Plots)
	m.tables(s.Tables)
	if len(s.Terms) > 0 {
		m.raw("<h3>Conventions</h3><dl>")
		for _, c := range s.Terms {
			m.raw("<dt>").say(c.Key).raw("</dt><dd>").say(c.Value).raw("</dd>")
		}
		m.raw("</dl>\n")
	}
	m.raw("</section>\n")
}

// command writes a command line where there is one.
func (m *markup) command(line string) {
	if line != "" {
		m.raw(`<p class="command"><code>`).say(line).raw("</code></p>\n")
	}
}

func (m *markup) tables(all []table) {
	for i := range all {
		m.table(&all[i])
	}
}

// soft writes an element of side text.
func (m *markup) soft(tag static, text string) *markup {
	return m.raw("<" + tag + ` class="soft">`).say(text).raw("</" + tag + ">")
}

func (m *markup) subject(s *subject) {
	m.raw("<article>\n<h3>").name(s.Name).raw("</h3>\n")
	if s.Detail != "" {
		m.soft("p", s.Detail).raw("\n")
	}
	m.command(s.Command)
	m.raw(`<ul class="cards">`)
	for _, c := range s.Cards {
		class := "card"
		if c.Bad {
			class = "card bad"
		}
		m.raw("<li").attr("class", class).raw(">").soft("span", c.Label).raw("<b>").say(
			c.Value).raw("</b>")
		if c.Note != "" {
			m.soft("span", c.Note)
		}
		m.raw("</li>")
	}
	m.raw("</ul>\n")
	m.charts(s.Bars, s.Plots)
	for i := range s.Tables {
		m.table(&s.Tables[i])
	}
	m.raw("</article>\n")
}

// charts writes bars and plots side by side where there is room.
func (m *markup) charts(all []bars, plots []plot) {
	if len(all)+len(plots) == 0 {
		return
	}
	m.raw("<div class=\"charts\">\n")
	for i := range all {
		m.bars(&all[i])
	}
	for i := range plots {
		m.plot(&plots[i])
	}
	m.raw("</div>\n")
}

func (m *markup) bars(b *bars) {
	m.raw("<div><h4>").say(b.Title).raw("</h4>\n<ul class=\"bars\">")
	for _, r := range b.Rows {
		m.raw("<li><span>").say(r.Label)
		if r.Note != "" {
			m.raw(" ").soft("span", r.Note)
		}
		m.raw(`</span><span class="v">`).say(r.Value).raw(" · ").say(r.Share).raw("</span>")
		m.raw(`<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect`).number("width", r.Percent, 2).raw(` height="1"/></svg></li>`)
	}
	m.raw("</ul>\n</div>\n")
}

func (m *markup) plot(p *plot) {
	const pixels = 1 // decimals of a place in the drawing
	m.raw("<figure>\n<h4>").say(p.Title).raw(
		"</h4>\n<svg viewBox=\"-12 0 502 320\" role=\"group\"").attr("aria-label", p.Title).raw(
		">\n")
	for _, t := range p.YTicks {
		m.raw(`<line class="grid" x1="52" x2="468"`).number("y1", t.At, pixels).number("y2", t.At, pixels).raw("/>")
		m.raw(`<text x="46"`).number("y", t.At, pixels).raw(` dy="4" text-anchor="end">`).say(t.Text).raw("</text>\n")
	}
	for _, t := range p.XTicks {
		m.raw(`<line class="grid" y1="22" y2="268"`).number("x1", t.At, pixels).number("x2", t.At, pixels).raw("/>")
		m.raw("<text").number("x", t.At, pixels).raw(` y="286" text-anchor="middle">`).say(t.Text).raw("</text>\n")
	}
	m.raw(`<text x="260" y="310" text-anchor="middle">`).say(p.X).raw(`</text><text x="52" y="14">`).say(p.Y).raw("</text>\n")
	if p.Level {
		m.raw(`<line class="level" x1="52" x2="468"`).number("y1", p.Zero, pixels).number("y2", p.Zero, pixels).raw("/>\n")
	}
	if p.Area != "" || len(p.Lines) > 0 {
		m.raw(`<svg x="52" y="22" width="416" height="246" viewBox="52 22 416 246">`)
		if p.Area != "" {
			m.raw(`<path class="band"`).attr("d", p.Area).raw("/>")
		}
		for _, l := range p.Lines {
			m.raw("<path").attr("class", coloured("line", l.Colour)).attr("d", l.Path).raw("/>")
		}
		m.raw("</svg>\n")
	}
	for _, d := range p.Dots {
		m.raw("<circle")
		class := coloured("dot", d.Colour)
		if d.Hollow {
			class = "dot hollow"
		}
		m.attr("class", class)
		m.number("cx", d.PX, pixels).number("cy", d.PY, pixels).raw(` r="4"><title>`).say(d.Label).raw("</title></circle>\n")
	}
	for _, q := range p.Points {
		m.raw("<g").attr("class", "point "+q.Class).raw(` tabindex="0" role="img"`).attr("aria-label", q.Label).attr("data-key", q.Key).raw("><title>").say(q.Label).raw("</title>")
		m.raw("<line").number("x1", q.PX, pixels).number("x2", q.PX, pixels).number("y1", q.PLow,
			pixels).number("y2", q.PHig, pixels).raw("/>")
		m.raw("<circle").number("cx", q.PX, pixels).number("cy", q.PY, pixels).raw(` r="6"/>`)
		if p.Named {
			m.raw("<text").number("x", q.PX+9, pixels).number("y", q.PY-6, pixels).raw(">").say(q.Mark).raw("</text>")
		}
		m.raw("</g>\n")
	}
	m.raw("</svg>\n<figcaption>")
	m.legend(p)
	if p.Note != "" {
		m.soft("p", p.Note)
	}
	if len(p.Points) > 0 {
		m.raw(`<p class="details soft" aria-live="polite">Point at a mark for its details.</p>`)
	}
	m.raw("</figcaption>\n</figure>\n")
}

// coloured is a class with its colour of the palette, 0 for its own.
func coloured(class string, colour int) string {
	if colour > 0 {
		class += fmt.Sprintf(" c%d", colour)
	}
	return class
}

// legend says what marks and named lines mean.
func (m *markup) legend(p *plot) {
	if len(p.Legend) == 0 && !slices.ContainsFunc(p.Lines, func(l line) bool { return l.Name != "" }) {
		return
	}
	m.raw(`<ul class="legend soft">`)
	for _, l := range p.Legend {
		m.raw(`<li><svg viewBox="0 0 16 16" aria-hidden="true"><g`).attr("class", "point "+l.Key)
		m.raw(`><circle cx="8" cy="8" r="6"/></g></svg>`).say(l.Value).raw("</li>")
	}
	for _, l := range p.Lines {
		if l.Name != "" {
			m.raw(`<li><svg viewBox="0 0 16 16" aria-hidden="true"><path`).attr("class", coloured("line", l.Colour))
			m.raw(` d="M1 8L15 8"/></svg>`).say(l.Name).raw("</li>")
		}
	}
	m.raw("</ul>")
}

func (m *markup) table(t *table) {
	if t.Title != "" {
		m.raw("<h3>").say(t.Title).raw("</h3>\n")
	}
	m.raw(`<div class="scroll" tabindex="0" role="region"`).
		attr("aria-label", cmp.Or(t.Title, "Side by side"))
	head, rows, numeric := t.Lay()
	if t.Flip {
		m.raw(`><table class="flip">`).flipped(t, head, rows)
	} else {
		m.raw("><table")
		if len(head) > mostAbreast {
			m.attr("class", "many")
		}
		m.raw(">").upright(t, head, rows, numeric)
	}
	m.raw("</table></div>\n")
	if t.More > 0 {
		m.soft("p", t.left()).raw("\n")
	}
	for _, note := range t.Notes {
		m.soft("p", note).raw("\n")
	}
}

// mostAbreast columns fit on paper; there the rows of a table of more are paragraphs.
const mostAbreast = 12

// upright writes a table that is sorted by a click on a heading.
func (m *markup) upright(t *table, head []string, rows [][]string, numeric []bool) {
	m.raw("\n<thead><tr>")
	for c := range head {
		m.raw(`<th scope="col"`).class(t, c, numeric).raw(`><button type="button">`).say(head[c]).raw("</button></th>")
	}
	m.raw("</tr></thead>\n<tbody>")
	for r, row := range rows {
		m.raw("<tr").marked(t, r).raw(">")
		for c, text := range row {
			m.raw("<td").class(t, c, numeric)
			if v, ok := t.Rows[r][c].Number(); ok {
				m.attr("data-v", fmt.Sprint(v))
			}
			if len(head) > mostAbreast {
				m.attr("data-h", head[c])
			}
			m.raw(">").name(text).raw("</td>")
		}
		m.raw("</tr>")
	}
	m.raw("</tbody>\n")
}

// flipped writes rows as columns: the first heading beside the others' names.
func (m *markup) flipped(t *table, head []string, rows [][]string) {
	for c := range head {
		if c == 0 {
			m.raw("\n<thead>")
		}
		m.raw(`<tr><th scope="row">`).say(head[c]).raw("</th>")
		for r := range rows {
			if c == 0 {
				m.raw(`<th scope="col"`).marked(t, r).raw(">").say(rows[r][c]).raw("</th>")
				continue
			}
			m.raw("<td").marked(t, r).raw(">").say(rows[r][c]).raw("</td>")
		}
		m.raw("</tr>")
		if c == 0 {
			m.raw("</thead>\n<tbody>")
		}
	}
	m.raw("</tbody>\n")
}

// marked writes what is known of a row.
func (m *markup) marked(t *table, r int) *markup {
	if r < len(t.Marks) {
		if k := t.Marks[r]; k.Class != "" {
			m.attr("class", k.Class)
		}
		if k := t.Marks[r]; k.Key != "" {
			m.attr("data-key", k.Key)
		}
	}
	return m
}

func (m *markup) class(t *table, c int, numeric []bool) *markup {
	switch {
	case numeric[c]:
		return m.attr("class", "n")
	case t.Columns[c].Wraps:
		return m.attr("class", "long")
	}
	return m
}

// markup collects HTML. Text of a [static] goes in as it is; every other string passes say or attr,
// which escape it. The types leave no third way in.
type markup struct{ text bytes.Buffer }

// static is HTML that stands in the source of this package. A constant becomes one by itself; a
// string does not without a conversion, and there is none.
type static string

// raw writes HTML of our own.
func (m *markup) raw(s static) *markup {
	m.text.WriteString(string(s))
	return m
}

// say writes text between two tags.
func (m *markup) say(s string) *markup {
	m.text.WriteString(escape(s))
	return m
}

// name writes text that may be broken where the parts of a name or a path meet.
func (m *markup) name(s string) *markup {
	for i := strings.IndexAny(s, ",/"); i >= 0; i = strings.IndexAny(s, ",/") {
		m.say(s[:i+1]).raw("<wbr>")
		s = s[i+1:]
	}
	return m.say(s)
}

// attr writes an attribute after the name of a tag, with the space before it.
func (m *markup) attr(name static, value string) *markup {
	m.text.WriteString(" " + string(name) + `="` + escape(value) + `"`)
	return m
}

// number writes an attribute that holds a number with some decimals.
func (m *markup) number(name static, v float64, decimals int) *markup {
	return m.attr(name, strconv.FormatFloat(v, 'f', decimals, 64))
}

// escape makes text safe between tags and between double quotes, and in a log that shows the page.
func escape(s string) string { return html.EscapeString(plain.Commandless(plain.Line(s))) }
