package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/skladom/skladom/starter/render"
)

func (a *app) webhookCommand() *cobra.Command {
	var test bool
	cmd := &cobra.Command{
		Use:   "webhook SHOP",
		Short: "Show the URL and the key for KROS again, or try them",
		Long: `Show the URL for notifications and the authorization key that KROS is given.
Both come from the settings and the master key: Temporal is not asked.

With --test send a notification to this URL, signed as KROS signs, and say what
happens at each step: name, TLS, status, signature, signal to the shop, pass.
It takes up to a minute and a half. The shop counts it as any notification.`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			if test {
				return a.tryWebhook(cmd.Context(), args[0])
			}
			return a.showWebhook(args[0])
		},
	}
	cmd.Flags().BoolVar(&test, "test", false, "send a test notification and say what happened at each step")
	return cmd
}

func (a *app) showWebhook(shop string) error {
	w, err := a.webhookOf(shop)
	if err != nil {
		return err
	}
	a.both(render.Webhook(w.URL, w.Key), w)
	return nil
}

// tried is the JSON of webhook --test. It holds no key.
type tried struct {
	URL   string `json:"webhookUrl"`
	Steps []step `json:"steps"`
}

// step is one of the steps from the name to the pass. Those after the one that
// failed were not tried, and are not OK.
type step struct {
	Step    string `json:"step"`
	OK      bool   `json:"ok"`
	Message string `json:"message"`
}

// tryWebhook sends a test notification and follows it until its pass has ended.
func (a *app) tryWebhook(ctx context.Context, shop string) error {
	w, err := a.webhookOf(shop)
	if err != nil {
		return err
	}
	t, err := a.newTrial(shop, w)
	if err != nil {
		return err
	}
	defer t.end()
	a.say("A test notification to " + w.URL + "\n\n")
	result, failed := tried{URL: w.URL}, false
	for _, next := range []struct {
		name string
		try  func(context.Context) (string, error)
	}{
		{"name", t.resolve}, {"tls", t.encrypt}, {"status", t.send}, {"signature", t.judge}, {"signal", t.signal}, {"pass", t.pass},
	} {
		done, mark := step{Step: next.name, Message: "Not tried."}, render.NotTried
		if !failed {
			done, mark = taken(ctx, next.name, next.try)
			failed = !done.OK
		}
		if ctx.Err() != nil {
			return trouble(shop, "Stopped.", "A notification that was sent is acted on all the same.")
		}
		result.Steps = append(result.Steps, done)
		a.say(render.Step(mark, done.Step, done.Message))
	}
	a.document(result)
	if failed {
		return told(statusFailed)
	}
	a.say(render.Tried(shop))
	return nil
}

// taken is a step after it was tried. What to do about a failure is part of its
// message.
func taken(ctx context.Context, name string, try func(context.Context) (string, error)) (step, render.Mark) {
	text, err := try(ctx)
	if err == nil {
		return step{Step: name, OK: true, Message: text}, render.Passed
	}
	f := asProblem(err).failure
	return step{Step: name, Message: joined(f.Message, f.Hint)}, render.Failed
}
