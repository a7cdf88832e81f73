package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
)

func (a *app) pauseCommand() *cobra.Command {
	var until, span, reason string
	cmd := &cobra.Command{
		Use:   "pause SHOP",
		Short: "Write nothing for a while",
		Long: `Write nothing to the shop until it is resumed, or until a time. A pass that runs
ends first. Notifications of KROS are remembered meanwhile.`,
		Example: `  skladom pause acme --for 2d --reason "stocktaking"
  skladom pause acme --until "2026-12-24 18:00"`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			request := protocol.PauseRequest{Reason: reason, By: a.user}
			end, err := pauseEnd(until, span, a.now().In(a.zone))
			if err != nil {
				return wrongUsage(cmd, err)
			}
			request.Until = end
			return a.ask(cmd, args[0], protocol.UpdatePause, request)
		},
	}
	cmd.Flags().StringVar(&until, "until", "", `resume by itself at this `+"`time`"+`: "18:00", "2026-12-24 18:00" or RFC 3339`)
	cmd.Flags().StringVar(&span, "for", "", "resume by itself after this `time`: 90m, 2h, 2d")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for others to read")
	return cmd
}

func (a *app) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume SHOP",
		Short: "Go on after a pause, or try again when suspended",
		Args:  oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd, args[0], protocol.UpdateResume)
		},
	}
}

func (a *app) deactivateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "deactivate SHOP",
		Short: "Stop keeping the stock of a shop",
		Long: `Stop keeping the stock of a shop: the pass that runs is ended, the products keep
the quantities they have. To begin again: skladom activate SHOP`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd, args[0], protocol.UpdateDeactivate)
		},
	}
}

// ask asks StockSync for a change of its state and shows where it stands then.
func (a *app) ask(cmd *cobra.Command, shop, update string, args ...any) error {
	c, err := a.connect(cmd.Context())
	if err != nil {
		return err
	}
	defer c.Close()
	return a.asked(cmd.Context(), c, shop, update, args...)
}

func (a *app) asked(ctx context.Context, c *connection, shop, update string, args ...any) error {
	var status protocol.Status
	if err := c.update(ctx, shop, update, &status, args...); err != nil {
		return err
	}
	a.show(presentable(status))
	return nil
}

// pauseEnd is when a pause ends, nil for one that lasts until it is ended.
func pauseEnd(until, span string, now time.Time) (*time.Time, error) {
	var end time.Time
	var err error
	switch {
	case until != "" && span != "":
		return nil, errors.New("--until and --for exclude each other")
	case until != "":
		if end, err = parseTime(until, now); err != nil {
			err = fmt.Errorf("--until: %w", err)
		}
	case span != "":
		var d time.Duration
		if d, err = parseSpan(span); err != nil {
			err = fmt.Errorf("--for: %w", err)
		}
		end = now.Add(d)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &end, nil
}
