package main

import (
	"context"
	"fmt"
	"time"

	"github.com/skladom/skladom/protocol"
)

const (
	lookAgain = 200 * time.Millisecond
	tellEvery = 15 * time.Second
	patience  = 10 * time.Minute
)

// atRest returns when every shop has done what it was told: no task of its
// StockSync waits or runs. The server knows, no worker has to be asked.
func (b *bench) atRest(ctx context.Context, shops []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not at rest within %v", patience))
	defer cancel()
	resting, told := 0, time.Now()
	for resting < len(shops) {
		rests, err := b.rests(ctx, shops[resting])
		switch {
		case err != nil:
			return fmt.Errorf("%d of %d shops are at rest: %w", resting, len(shops), err)
		case rests:
			resting++
		default:
			if err := wait(ctx, lookAgain); err != nil {
				return fmt.Errorf("%d of %d shops are at rest: %w", resting, len(shops), err)
			}
		}
		if time.Since(told) > tellEvery {
			b.say("  %d of %d", resting, len(shops))
			told = time.Now()
		}
	}
	return nil
}

func (b *bench) rests(ctx context.Context, shop string) (bool, error) {
	described, err := b.house.Client.DescribeWorkflowExecution(ctx, protocol.StockSyncID(shop), "")
	if err != nil {
		return false, fmt.Errorf("describe the StockSync of %s: %w", shop, err)
	}
	return described.GetPendingWorkflowTask() == nil, nil
}
