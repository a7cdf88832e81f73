package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/samber/lo"

	"github.com/skladom/skladom/testsuite/selling/market"
)

// totals are the figures of all shops, in Markdown: a row for each hold.
func totals(holds []time.Duration, shops []market.Shop) string {
	rows := []table.Row{{"sold_hold", "pieces wanted", "ordered", "sold twice", "not delivered", "sales lost", "sold twice of 1,000", "not delivered of 1,000", "lost per 1,000"}}
	for i, f := range market.Total(shops) {
		rows = append(rows, table.Row{
			"`" + short(holds[i]) + "`", thousands(f.Wanted), thousands(f.Ordered), thousands(f.SoldTwice), thousands(f.NotDelivered),
			thousands(f.Lost), perThousand(f.SoldTwice, f), perThousand(f.NotDelivered, f), perThousand(f.Lost, f),
		})
	}
	return markdown(rows)
}

// group are the shops of one row.
type group struct {
	name string
	has  func(market.Class) bool
}

// byBooking are shops that book alike, with and without Black Friday.
func byBooking() []group {
	var groups []group
	for _, rushed := range []bool{false, true} {
		for _, booking := range market.Bookings {
			groups = append(groups, group{
				string(booking) + lo.Ternary(rushed, ", Black Friday", ""),
				func(c market.Class) bool { return c.Booking == booking && c.BlackFriday == rushed },
			})
		}
	}
	return groups
}

// byCounter are shops that tell KROS of counter sales alike.
func byCounter() []group {
	return lo.Map(market.Counters, func(counter market.Counter, _ int) group {
		return group{string(counter), func(c market.Class) bool { return c.Counter == counter }}
	})
}

// rates are the figures of every group of shops, per 1,000 pieces ordered.
func rates(title string, groups []group, holds []time.Duration, shops []market.Shop) string {
	figures := []struct {
		name string
		of   func(market.Figures) int
	}{
		{"sold twice", func(f market.Figures) int { return f.SoldTwice }},
		{"not delivered", func(f market.Figures) int { return f.NotDelivered }},
		{"lost", func(f market.Figures) int { return f.Lost }},
	}
	head := table.Row{title, "shops"}
	for _, figure := range figures {
		for _, hold := range holds {
			head = append(head, figure.name+", `"+short(hold)+"`")
		}
	}
	rows := []table.Row{head}
	for _, group := range groups {
		of := lo.Filter(shops, func(s market.Shop, _ int) bool { return group.has(s.Class) })
		if len(of) == 0 {
			continue
		}
		row := table.Row{group.name, len(of)}
		for _, figure := range figures {
			for _, total := range market.Total(of) {
				row = append(row, perThousand(figure.of(total), total))
			}
		}
		rows = append(rows, row)
	}
	return markdown(rows)
}

// markdown is a table whose first row is its head; all columns but the first
// are numbers.
func markdown(rows []table.Row) string {
	t := table.NewWriter()
	t.AppendHeader(rows[0])
	t.AppendRows(rows[1:])
	t.SetColumnConfigs(lo.Map(rows[0][1:], func(_ any, i int) table.ColumnConfig {
		return table.ColumnConfig{Number: i + 2, Align: text.AlignRight}
	}))
	return t.RenderMarkdown()
}

func perThousand(pieces int, of market.Figures) string {
	if of.Ordered == 0 {
		return "-"
	}
	return strconv.FormatFloat(1000*float64(pieces)/float64(of.Ordered), 'f', 1, 64)
}

// thousands groups digits as people read them.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

// short is a hold as settings spell it: 24h, not 24h0m0s.
func short(hold time.Duration) string {
	if hold > 0 && hold%time.Hour == 0 {
		return strconv.Itoa(int(hold/time.Hour)) + "h"
	}
	return hold.String()
}
