package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func history() []PastPass {
	unknown := protocol.Report{Shop: "acme", Pass: 9, StartedAt: begun, FinishedAt: begun}
	return []PastPass{
		{Report: report(), By: "jana.z.dlhého-riadku@example.com", SettingsChanged: []protocol.SettingChange{
			{Setting: "match", Before: "number", After: "ean"},
			{Setting: "kros.warehouses", Before: "all", After: strings.Repeat("PREŠOV SKLAD, ", 5)},
		}},
		{Report: rolledBack().Report, By: "jana", Undoes: 12},
		{Report: failedReport()},
		{Report: unknown},
		{Report: with(report(), func(r *protocol.Report) {
			r.Pass, r.Result, r.Held, r.Raised = 123456, protocol.ResultHeld, 5000, 10000
			r.FinishedAt = r.StartedAt.Add(3 * time.Hour)
			r.Failure = message.Failure(protocol.CatalogueChanged, message.Params{})
		})},
	}
}

func changesOf() []stock.Change {
	d := decimal.RequireFromString
	return []stock.Change{
		{Item: "CAJ 001", Product: "p-1", Before: d("0"), After: d("17"), Kros: d("17"), Answer: stock.AnswerUpdated},
		{Item: "KÁBEL-2.5-CYKY-J-3X2.5-MODRÝ", Product: "6f1c2c1e-9d0b-4a53-8d0c-0c8ddad3a5f1", Before: d("12345.6789"), After: d("12345.6789"), Kros: d("0"), Answer: stock.AnswerRejected, Reason: "locked by the merchant"},
	}
}

func restorations() []stock.Restoration {
	d := decimal.RequireFromString
	rows := lo.Times(25, func(i int) stock.Restoration {
		return stock.Restoration{Item: fmt.Sprintf("I-%02d", i), Product: fmt.Sprintf("p-%02d", i), Name: "Čaj bylinný žihľavový sypaný", From: lo.ToPtr(d("0")), To: lo.ToPtr(d("17")), Outcome: stock.Restored}
	})
	return append(rows,
		stock.Restoration{Item: "KÁBEL-2.5-CYKY-J-3X2.5-MODRÝ", Product: "6f1c2c1e-9d0b-4a53-8d0c-0c8ddad3a5f1", From: lo.ToPtr(d("12345.6789")), To: lo.ToPtr(d("3")), Outcome: stock.ChangedSince, Reason: "it has 12345.6789 now, the pass had left 4"},
		stock.Restoration{Item: "CAJ 001", Product: "p-1", Outcome: stock.ChangedSince, Reason: "the e-shop does not show the product p-1 by its key any more"},
		stock.Restoration{Item: "CAJ 002", Product: "p-2", From: lo.ToPtr(d("1")), To: lo.ToPtr(d("2")), Outcome: stock.NotRestored, Reason: "locked by the merchant"},
		stock.Restoration{Item: "CAJ 003", Product: "p-3", From: lo.ToPtr(d("2")), To: lo.ToPtr(d("2")), Outcome: stock.AsBefore},
	)
}

func rolledBack() protocol.RollbackResult {
	return protocol.RollbackResult{
		Report: protocol.Report{
			Shop: "acme", Pass: 14, Trigger: protocol.TriggerRollback, Result: protocol.ResultOK, StartedAt: begun, FinishedAt: begun.Add(4 * time.Second),
			Warnings: []string{message.ChangedSince(2)},
			Counts:   stock.Counts{KrosItems: 29, Updated: 25, Unchanged: 1, Held: 1, Unmatched: 1, Rejected: 1, Products: 28, Raised: 25},
		},
		Undo: 12, State: protocol.StatePaused,
	}
}
