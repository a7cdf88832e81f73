package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// handle sets the handlers of StockSync. No handler runs a pass: it raises a
// request and waits for the loop.
func (s *stockSync) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, protocol.QueryStatus, func() (protocol.Status, error) { return s.status(), nil }); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, protocol.QueryMemory, func() (protocol.Recollection, error) {
		return s.recollection(), nil
	}); err != nil {
		return err
	}
	handlers := []struct {
		name      string
		handler   any
		validator any
	}{
		{protocol.UpdateSync, s.onSync, s.allowSync},
		{protocol.UpdatePause, s.onPause, s.allowPause},
		{protocol.UpdateResume, s.onResume, s.allow},
		{protocol.UpdateRollback, s.onRollback, s.allowRollback},
		{protocol.UpdateApprove, s.onApprove, s.allowApprove},
		{protocol.UpdateDismiss, s.onDismiss, s.allowDismiss},
		{protocol.UpdateDeactivate, s.onDeactivate, s.allow},
	}
	for _, h := range handlers {
		options := workflow.UpdateHandlerOptions{Validator: h.validator}
		if err := workflow.SetUpdateHandlerWithOptions(ctx, h.name, h.handler, options); err != nil {
			return err
		}
	}
	return nil
}

func refuse(sentence string) error {
	return temporal.NewNonRetryableApplicationError(sentence, "refused", nil)
}

func (s *stockSync) allowSync(protocol.SyncRequest) error {
	if s.Pause != nil {
		return refuse(message.SyncWhilePaused(s.Shop))
	}
	return s.allow()
}

func (s *stockSync) allow() error {
	if s.leaving {
		return refuse(message.NotActive(s.Shop))
	}
	return nil
}

// onSync waits for a pass that began after it was accepted, or for the first
// pass of an activation, and returns its report.
func (s *stockSync) onSync(ctx workflow.Context, request protocol.SyncRequest) (protocol.Report, error) {
	stopped := func() bool { return s.leaving || s.Pause != nil && s.running == nil }
	if id := request.Activation; id != "" {
		if err := workflow.Await(ctx, func() bool { return !s.toCome(id) || stopped() }); err != nil {
			return protocol.Report{}, err
		}
		if s.Activated == id {
			return *s.LastPass, nil
		}
		// Another activation came between: any pass from now on will do.
	}
	s.by = request.By
	return s.nextPass(ctx)
}

// nextPass waits for a pass that begins after now, and returns its report.
func (s *stockSync) nextPass(ctx workflow.Context) (protocol.Report, error) {
	stopped := func() bool { return s.leaving || s.Pause != nil && s.running == nil }
	s.requests++
	mine := s.requests
	if err := workflow.Await(ctx, func() bool { return s.served >= mine || stopped() }); err != nil {
		return protocol.Report{}, err
	}
	switch {
	case s.served >= mine:
		return *s.LastPass, nil
	case s.leaving:
		return protocol.Report{}, refuse(message.NotActive(s.Shop))
	}
	s.served = s.requests // nobody waits any more
	return protocol.Report{}, refuse(message.SyncWhilePaused(s.Shop))
}

// toCome tells whether the first pass of an activation is still to end.
func (s *stockSync) toCome(activation string) bool {
	return s.activated.Len() > 0 || // it signals before anybody waits for it
		s.Activation != nil && s.Activation.ID == activation ||
		s.running != nil && s.running.activation == activation
}

func (s *stockSync) allowPause(ctx workflow.Context, request protocol.PauseRequest) error {
	if request.Until != nil && !request.Until.After(workflow.Now(ctx)) {
		return refuse(message.PauseOver(*request.Until, s.zone()))
	}
	return s.allow()
}

// onPause stops further passes; the one that runs ends by itself. A pause of a
// paused shop says anew until when and why.
func (s *stockSync) onPause(ctx workflow.Context, request protocol.PauseRequest) (protocol.Status, error) {
	since := workflow.Now(ctx)
	if s.Pause != nil {
		since = s.Pause.Since // nothing was written since the first of them
	}
	s.Pause = &pause{PauseRequest: request, Since: since}
	text, hint := message.Paused(s.Shop, request, s.zone())
	s.State = protocol.StatePaused
	s.Reason = &protocol.Reason{Failure: protocol.Failure{Code: "paused", Message: text, Hint: hint}, Since: s.Pause.Since}
	s.publish(ctx)
	return s.status(), nil
}

func (s *stockSync) onResume(workflow.Context) (protocol.Status, error) {
	if s.Pause != nil || s.State == protocol.StateSuspended {
		s.goOn()
	}
	return s.status(), nil
}

// onDeactivate ends the pass that runs, waits for it, and ends the workflow.
func (s *stockSync) onDeactivate(ctx workflow.Context) (protocol.Status, error) {
	s.leaving = true
	if s.running != nil {
		s.running.end()
	}
	err := workflow.Await(ctx, func() bool { return s.left })
	return s.status(), err
}

// recollection is what others need who plan without being StockSync. A query
// knows no time but that of the last pass.
func (s *stockSync) recollection() protocol.Recollection {
	return protocol.Recollection{
		Running: true, State: s.State, ShopID: s.ShopID, Memory: s.Memory, Hold: s.Hold, Busy: s.running != nil,
		Day: s.day(s.PassStartedAt, s.Memory.Basis), Dismissed: s.Dismissed,
	}
}

func (s *stockSync) allowApprove(request protocol.AnswerRequest) error {
	if s.Pause != nil {
		return refuse(message.ApprovalWhilePaused(s.Shop))
	}
	if s.Hold == nil && request.Hash != "" && request.Hash == s.Answer {
		return s.allow() // a second approval of the same does nothing
	}
	return s.allowAnswer(request)
}

func (s *stockSync) allowDismiss(request protocol.AnswerRequest) error {
	if s.Hold != nil && s.Hold.Code == protocol.CatalogueChanged {
		return refuse(message.NotDismissible(s.Shop))
	}
	return s.allowAnswer(request)
}

func (s *stockSync) allowAnswer(request protocol.AnswerRequest) error {
	switch {
	case s.Hold == nil:
		return refuse(message.NothingHeld(s.Shop))
	case request.Hash != s.Hold.Hash:
		return refuse(message.OtherHold(s.Shop))
	}
	return s.allow()
}

// onApprove has the next pass write what is held, and returns its report.
func (s *stockSync) onApprove(ctx workflow.Context, request protocol.AnswerRequest) (protocol.Report, error) {
	if s.Hold == nil || s.Hold.Hash != request.Hash {
		return *s.LastPass, nil // answered before
	}
	s.Answer = request.Hash
	s.Approval = &approval{Hold: *s.Hold, By: request.By, Due: true}
	return s.nextPass(ctx)
}

// onDismiss keeps what is held as it is, until KROS shows other numbers.
func (s *stockSync) onDismiss(ctx workflow.Context, request protocol.AnswerRequest) (protocol.Status, error) {
	s.Dismissed, s.Hold, s.Approval = s.Hold.Plan, nil, nil
	if s.Pause == nil && s.State == protocol.StateHeld {
		s.turn(ctx, protocol.StateActive, nil)
	}
	workflow.GetLogger(ctx).Info("a hold was dismissed", "shop", s.Shop, "by", request.By)
	s.publish(ctx)
	return s.status(), nil
}
