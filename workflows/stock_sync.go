package workflows

import (
	"errors"
	"fmt"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// When a run of StockSync gives way to the next one, besides when the server
// suggests it.
const (
	maxPassesOfRun = 48
	maxAgeOfRun    = 24 * time.Hour
)

// passTimeout ends a pass that is stuck in spite of all bounds of activities.
const passTimeout = 3 * time.Hour

// What StockSync does when somebody has started a workflow of the pass's id by
// hand: it waits, and after ten minutes says so.
const (
	takenIDRetry = 30 * time.Second
	takenIDTries = 20
)

// StockSync keeps one shop in step, for years: it waits for a tick of the
// shop's schedule, a notification of KROS or a person, and then runs a pass.
//
// It is a loop and no Temporal cron: a signal to a workflow in cron back-off
// is handled at the next tick only, and continue-as-new would end the chain.
// One loop runs all passes; update handlers only raise a request and wait.
func StockSync(ctx workflow.Context, state SyncState) error {
	s := &stockSync{SyncState: state, startedAt: workflow.Now(ctx)}
	s.Version = stateVersion
	s.listen(ctx)
	if err := s.handle(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// stockSync is one run of StockSync.
type stockSync struct {
	SyncState
	startedAt time.Time
	passes    int // of this run

	notification, refused, syncNow, configChanged, activated workflow.ReceiveChannel

	by        string       // who asked for a pass last
	requests  int64        // raised by every update "sync" and "approve"
	served    int64        // the requests up to this one have their pass
	running   *runningPass // nil while idle
	reload    bool         // settings are to be read again
	leaving   bool         // deactivate was asked for
	left      bool         // and everything has ended
	published published

	rollback *rollbackTurn // asked for and not yet ended

	alertsFrom time.Time // an alert could not be raised; again from then on

	alarm     workflow.Future // wakes the loop; nil before the first wait
	alarmAt   time.Time
	stopAlarm workflow.CancelFunc
}

// runningPass is what is known of the pass that runs, from its first look at
// the settings on.
type runningPass struct {
	end        workflow.CancelFunc
	activation string // id of the activation whose first pass it is
}

// published is what the search attributes and the memo say.
type published struct {
	state   protocol.State
	reason  protocol.Code
	title   string
	success time.Time
	noted   *protocol.NotedReason
}

func (s *stockSync) listen(ctx workflow.Context) {
	s.notification = workflow.GetSignalChannel(ctx, protocol.SignalNotification)
	s.refused = workflow.GetSignalChannel(ctx, protocol.SignalRefused)
	s.syncNow = workflow.GetSignalChannel(ctx, protocol.SignalSyncNow)
	s.configChanged = workflow.GetSignalChannel(ctx, protocol.SignalConfigChanged)
	s.activated = workflow.GetSignalChannel(ctx, protocol.SignalActivated)
}

func (s *stockSync) run(ctx workflow.Context) error {
	err := s.loop(ctx)
	if err != nil && !temporal.IsCanceledError(err) {
		return err // the next run, or trouble
	}
	// Cancelled in the Temporal UI is deactivated, too.
	parting, _ := workflow.NewDisconnectedContext(ctx)
	if leaveErr := s.leave(parting); leaveErr != nil {
		return leaveErr
	}
	return err
}

func (s *stockSync) loop(ctx workflow.Context) (err error) {
	s.reload = s.NextTick.IsZero()
	for !s.leaving && err == nil {
		s.drain(ctx)
		if s.reload {
			if err := s.readSettings(ctx); err != nil {
				return err
			}
		}
		s.endPause(ctx)
		s.publish(ctx)
		s.alert(ctx)
		trigger, due := s.due(workflow.Now(ctx), s.requests > s.served)
		switch {
		case s.leaving: // since the settings were read
		case s.rollback != nil:
			err = s.rollBack(ctx)
		case s.renewable(ctx):
			return workflow.NewContinueAsNewError(ctx, StockSync, s.SyncState)
		case due:
			err = s.pass(ctx, trigger)
		default:
			err = s.wait(ctx)
		}
	}
	return err
}

// signalled tells whether a signal waits to be taken in.
func (s *stockSync) signalled() bool {
	return s.notification.Len()+s.refused.Len()+s.syncNow.Len()+s.configChanged.Len()+s.activated.Len() > 0
}

// drain takes in every signal that has arrived. Payloads of notifications are
// not decoded: anybody may send one, with any body. Of those that wait together
// the valid ones come first, so that a refused one does not hide them.
func (s *stockSync) drain(ctx workflow.Context) {
	for s.notification.ReceiveAsync(nil) {
		s.notify(workflow.Now(ctx))
	}
	for s.refused.ReceiveAsync(nil) {
		s.refuseNotification(workflow.Now(ctx))
	}
	for s.syncNow.ReceiveAsync(nil) {
		s.Requested = true
	}
	for s.configChanged.ReceiveAsync(nil) {
		s.reload = true
	}
	for {
		var a protocol.Activated
		if !s.activated.ReceiveAsync(&a) {
			return
		}
		s.activate(a)
	}
}

// activate takes over what an activation found; it ends a pause or a
// suspension, since a person has just seen both systems answer.
func (s *stockSync) activate(a protocol.Activated) {
	s.Activation, s.ShopID = &a, a.ShopID
	s.Passes = max(s.Passes, a.LastPass)
	s.Pause, s.State, s.Reason = nil, protocol.StateActive, nil
	s.Hold, s.Approval, s.Hours = nil, nil, nil // its first pass says what is held now
	s.reload = true
}

// readSettings reads the settings outside a pass: at the first start and when
// somebody changed them. A suspended shop is probed at once.
func (s *stockSync) readSettings(ctx workflow.Context) error {
	s.reload = false
	loaded, err := loadSettings(ctx, s.Shop, s.PassStartedAt)
	if err != nil {
		return err
	}
	s.NextTick = loaded.NextTick
	if loaded.Failure != nil {
		if s.Pause == nil {
			s.turn(ctx, protocol.StateSuspended, loaded.Failure)
		}
		return nil
	}
	s.Settings = loaded.Settings
	if s.State == protocol.StateSuspended {
		s.Requested = true
	}
	return nil
}

func (s *stockSync) endPause(ctx workflow.Context) {
	if s.Pause != nil && s.Pause.Until != nil && !workflow.Now(ctx).Before(*s.Pause.Until) {
		s.goOn()
	}
}

// goOn ends a pause, or has a suspended shop probed, at once: stock has moved
// on meanwhile.
func (s *stockSync) goOn() {
	if s.Pause != nil {
		s.Pause, s.State, s.Reason = nil, protocol.StateActive, nil
	}
	s.Requested = true
}

// renewable tells whether this run is to give way to a new one, now. It is
// asked between passes, due or not: a shop whose passes take longer than its
// schedule is never idle. Nothing is lost: signals are taken in, no update
// handler runs, and what is due is in the state.
func (s *stockSync) renewable(ctx workflow.Context) bool {
	return s.old(ctx) && workflow.AllHandlersFinished(ctx) && !s.signalled() && !s.reload && s.requests == s.served
}

func (s *stockSync) old(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested() || s.passes >= maxPassesOfRun ||
		workflow.Now(ctx).Sub(s.startedAt) >= maxAgeOfRun
}

// wait sleeps until something may be due.
func (s *stockSync) wait(ctx workflow.Context) error {
	until, summary := s.startedAt.Add(maxAgeOfRun), "renew the history"
	if wake := s.wakeAt(); !wake.IsZero() && wake.Before(until) {
		until, summary = wake, "next pass "+message.Time(wake, s.zone())
		if s.Pause != nil {
			summary = "end of the pause"
		}
	}
	if remind := s.alertAt(); !remind.IsZero() && remind.Before(until) {
		until, summary = remind, "remind of what waits"
	}
	// An update handler that is about to return keeps an old run from being
	// renewed: wake when it has.
	busy := s.old(ctx) && !workflow.AllHandlersFinished(ctx)
	before := s.asked()
	s.setAlarm(ctx, until, summary)
	return workflow.Await(ctx, func() bool {
		return s.alarm.IsReady() || s.signalled() || s.asked() != before || (busy && workflow.AllHandlersFinished(ctx))
	})
}

// setAlarm makes a timer for the time to wake at. One that is set for that
// time already stays: the next tick is usually the same before and after a
// pass. The SDK's await with a time-out would leave its timer behind.
func (s *stockSync) setAlarm(ctx workflow.Context, at time.Time, summary string) {
	if s.alarm != nil && !s.alarm.IsReady() {
		if at.Equal(s.alarmAt) {
			return
		}
		s.stopAlarm()
	}
	ctx, s.stopAlarm = workflow.WithCancel(ctx)
	after := max(at.Sub(workflow.Now(ctx)), time.Second)
	s.alarm, s.alarmAt = workflow.NewTimerWithOptions(ctx, after, workflow.TimerOptions{Summary: summary}), at
}

// asked is all by which update handlers can change what is due.
func (s *stockSync) asked() any {
	return struct {
		pause            *pause
		requested        bool
		requests, served int64
		leaving          bool
		rollback         *rollbackTurn
	}{s.Pause, s.Requested, s.requests, s.served, s.leaving, s.rollback}
}

// pass runs one pass and takes over what it found. All that was asked for
// before it began is served by it.
func (s *stockSync) pass(ctx workflow.Context, trigger protocol.Trigger) error {
	passCtx, end := workflow.WithCancel(ctx)
	defer end()
	serves, activation, catalogue := s.requests, s.Activation, s.catalogue()
	s.running = &runningPass{end: end}
	if activation != nil {
		s.running.activation = activation.ID
	}
	s.Notified, s.Requested, s.Activation = false, false, nil
	if s.Approval != nil {
		s.Approval.Due = false
	}
	s.PassStartedAt = workflow.Now(ctx)
	s.passes++

	result, err := s.runPass(passCtx, trigger, catalogue, activation)
	s.running = nil
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // deactivated before there was anything to report
		result = s.noPass(ctx, trigger, message.Unfinished(protocol.ShopUnavailable, cause(err)))
	}
	if result.SamplesKnown {
		result.Samples = s.LastPass.Samples
	}
	s.note(&result.Report)
	s.judge(ctx, &result)
	s.Told.count(result.Result, result.Lost, s.PassStartedAt, s.NextTick)
	if activation != nil {
		s.Activated = activation.ID
	}
	s.served = max(s.served, serves)
	return nil
}

// catalogue is the sweep that an activation has just made, unless a pass has
// read KROS since, or somebody asks for what KROS has now.
func (s *stockSync) catalogue() *protocol.Catalogue {
	a := s.Activation
	asked := s.Notified || s.Requested || s.requests > s.served
	if a == nil || a.Catalogue == nil || asked || !a.Catalogue.TakenAt.After(s.PassStartedAt) {
		return nil
	}
	return a.Catalogue
}

// runPass reads the settings, probes a suspended shop, and runs the child. The
// error is that the pass was cancelled.
func (s *stockSync) runPass(ctx workflow.Context, trigger protocol.Trigger, catalogue *protocol.Catalogue, activation *protocol.Activated) (protocol.PassResult, error) {
	loaded, err := loadSettings(ctx, s.Shop, s.PassStartedAt)
	if err != nil {
		return protocol.PassResult{}, err
	}
	s.NextTick = loaded.NextTick
	if loaded.Failure != nil {
		return s.noPass(ctx, trigger, loaded.Failure), nil
	}
	s.Settings = loaded.Settings
	if s.State == protocol.StateSuspended {
		failure, err := s.probe(workflow.WithPriority(ctx, priority(trigger, false)), loaded.Connection)
		if err != nil {
			return protocol.PassResult{}, err
		}
		if failure != nil {
			return s.noPass(ctx, trigger, failure), nil
		}
		s.turn(ctx, protocol.StateActive, nil) // whatever the pass meets now is new trouble
	}
	s.Passes++
	request := protocol.PassRequest{
		Shop: s.Shop, Pass: s.Passes, Trigger: trigger, By: s.askedBy(trigger, activation),
		Settings: loaded.Settings, SettingsHash: loaded.Hash, Connection: loaded.Connection, Basis: loaded.Basis,
		ShopID: s.ShopID, Memory: s.Memory, Accept: activation != nil, Catalogue: catalogue,
		Day: s.day(workflow.Now(ctx), loaded.Basis), Dismissed: s.Dismissed, Protected: s.Hold.Refs(), Last: s.ended(),
	}
	// Whatever is out of the ordinary is worth a whole look.
	request.Delta = trigger == protocol.TriggerNotification && s.State == protocol.StateActive && s.Memory.Filter.Proven()
	if s.LastPass != nil {
		request.SamplesHash = protocol.SamplesHash(s.LastPass.Samples)
	}
	s.Approval.apply(&request)
	return s.child(ctx, request)
}

// askedBy is the person for whom a pass begins, where it is one.
func (s *stockSync) askedBy(trigger protocol.Trigger, activation *protocol.Activated) string {
	switch {
	case activation != nil:
		return activation.By
	case trigger == protocol.TriggerApproval:
		return s.Approval.By
	case trigger == protocol.TriggerManual:
		return s.by
	}
	return ""
}

// apply has a pass write what was approved. An approved catalogue is the one
// that is compared with from now on.
func (a *approval) apply(r *protocol.PassRequest) {
	if a == nil {
		return
	}
	r.Approved = a.Hold.Plan
	r.Protected = append(r.Protected, a.Hold.Refs()...)
	if a.Hold.Code == protocol.CatalogueChanged {
		r.Memory.Baseline, r.Memory.Products = a.Hold.Catalogue, 0
	}
}

// noPass is the report of a pass that could not even begin.
func (s *stockSync) noPass(ctx workflow.Context, trigger protocol.Trigger, failure *protocol.Failure) protocol.PassResult {
	return protocol.PassResult{Memory: s.Memory, Report: protocol.Report{
		Shop: s.Shop, Trigger: trigger, Mode: protocol.ModeFull, Result: protocol.ResultFailed, Failure: failure,
		Warnings: []string{}, Samples: stock.Samples{}, StartedAt: s.PassStartedAt, FinishedAt: workflow.Now(ctx),
	}}
}

// probe looks with three small requests whether a suspended shop can go on.
func (s *stockSync) probe(ctx workflow.Context, connection string) (*protocol.Failure, error) {
	request := protocol.CheckRequest{Shop: s.Shop, Connection: connection}
	if err := run(ctx, checkBounds, "KROS: probe", do.CheckKROS, request, nil); err != nil {
		return failureOrCancel(err, protocol.KrosUnavailable)
	}
	who, err := call[protocol.ShopIdentity](ctx, checkBounds, "e-shop: probe", do.CheckShop, request)
	if err != nil {
		return failureOrCancel(err, protocol.ShopUnavailable)
	}
	if who.ID != s.ShopID {
		return message.Failure(protocol.ShopChanged, message.Params{Shop: s.Shop}), nil
	}
	return nil, nil
}

// child runs SyncPass. A hand-started workflow of its id is waited out: two
// writers for a shop must not be.
func (s *stockSync) child(ctx workflow.Context, request protocol.PassRequest) (protocol.PassResult, error) {
	for range takenIDTries {
		result, taken := s.startPass(ctx, request)
		if !taken {
			return result, nil
		}
		if err := workflow.Sleep(ctx, takenIDRetry); err != nil {
			return protocol.PassResult{}, err
		}
	}
	detail := fmt.Sprintf("somebody else runs a workflow with the id %s; terminate it", protocol.SyncPassID(s.Shop))
	return s.lostPass(ctx, request, message.Unfinished(protocol.ShopUnavailable, detail)), nil
}

// startPass runs SyncPass and waits for its end, also where ctx is cancelled.
// taken tells that a workflow of its id runs already.
func (s *stockSync) startPass(ctx workflow.Context, request protocol.PassRequest) (result protocol.PassResult, taken bool) {
	pass := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            protocol.SyncPassID(s.Shop),
		WorkflowRunTimeout:    passTimeout,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation:   true,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("pass %d of %s by %s", request.Pass, s.Shop, request.Trigger),
		Priority:              priority(request.Trigger, request.DryRun),
	}), protocol.SyncPass, request)
	steady, _ := workflow.NewDisconnectedContext(ctx)
	for !pass.IsReady() {
		// A context that is never cancelled gives no error.
		_ = workflow.Await(steady, func() bool { return pass.IsReady() || s.signalled() })
		s.drain(ctx) // a notification is counted when it comes, not when the pass ends
	}
	err := pass.Get(steady, &result)
	var cancelled *temporal.CanceledError
	switch {
	case err == nil:
		return result, false
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return result, true
	case errors.As(err, &cancelled) && cancelled.HasDetails() && cancelled.Details(&result) == nil:
		return result, false // what it remembers counts: it may have begun to write
	}
	return s.lostPass(ctx, request, message.Unfinished(protocol.ShopUnavailable, "the pass was ended before it was done ("+cause(err)+")")), false
}

// lostPass is the report of a pass that ended without one: terminated by hand,
// or out of time.
func (s *stockSync) lostPass(ctx workflow.Context, request protocol.PassRequest, failure *protocol.Failure) protocol.PassResult {
	result := s.noPass(ctx, request.Trigger, failure)
	result.Pass, result.SettingsHash = request.Pass, request.SettingsHash
	result.Memory.Lost = request.Pass
	return result
}

// judge draws the state from the result of a pass.
func (s *stockSync) judge(ctx workflow.Context, result *protocol.PassResult) {
	s.count(result.Day, s.PassStartedAt, result.Memory.Basis != s.Memory.Basis)
	s.Memory = result.Memory
	s.takeHold(ctx, result)
	if result.Changed || result.Catalogue != nil && result.Catalogue.Changed {
		s.KrosChangedAt = &result.StartedAt
	}
	if result.Result == protocol.ResultOK {
		s.LastSuccessAt = &result.FinishedAt
	}
	switch {
	case s.Pause != nil: // paused while the pass ran: the pause stands
	case result.Result == protocol.ResultOK:
		s.turn(ctx, protocol.StateActive, nil)
	case result.Result == protocol.ResultHeld:
		s.turn(ctx, protocol.StateHeld, result.Failure)
	case needsPerson(result.Failure.Code):
		s.turn(ctx, protocol.StateSuspended, result.Failure)
	case s.State == protocol.StateSuspended: // the probe learned nothing; the reason stands
	default:
		s.turn(ctx, protocol.StateFailing, result.Failure)
	}
}

// takeHold takes over what waits for a person after a pass. One that failed has
// found nothing out.
func (s *stockSync) takeHold(ctx workflow.Context, result *protocol.PassResult) {
	if result.Answered {
		s.Dismissed = protocol.Ref{}
	}
	if result.Result == protocol.ResultFailed {
		return
	}
	if s.Approval != nil && !s.Approval.Due { // it may have been given while this pass ran
		s.Approval = nil
	}
	since := workflow.Now(ctx)
	if s.Hold != nil {
		since = s.Hold.Since
	}
	if s.Hold = result.Hold; s.Hold != nil {
		s.Hold.Since = since
	}
}

// needsPerson tells whether a failure cannot pass by itself.
func needsPerson(code protocol.Code) bool {
	switch code {
	case protocol.KrosKeyInvalid, protocol.KrosNoAPIAccess, protocol.KrosForbidden,
		protocol.ShopKeyInvalid, protocol.ShopForbidden, protocol.ShopChanged,
		protocol.ConfigMissing, protocol.ConfigInvalid:
		return true
	}
	return false
}

// turn changes the state. A reason that stays keeps its beginning.
func (s *stockSync) turn(ctx workflow.Context, state protocol.State, failure *protocol.Failure) {
	since := workflow.Now(ctx)
	if s.Reason != nil && failure != nil && s.State == state && s.Reason.Code == failure.Code {
		since = s.Reason.Since
	}
	s.State, s.Reason = state, nil
	if failure != nil {
		s.Reason = &protocol.Reason{Failure: *failure, Since: since}
	}
}

// publish shows the state in the Temporal UI; attributes only when they change.
func (s *stockSync) publish(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, syncDetails(s.status(), s.Recent, s.zone()))
	now := published{state: s.State, title: s.status().Title, noted: s.noted()}
	if s.Reason != nil {
		now.reason = s.Reason.Code
	}
	if s.LastSuccessAt != nil {
		now.success = *s.LastSuccessAt
	}
	if now.title != s.published.title {
		_ = workflow.UpsertMemo(ctx, map[string]any{protocol.MemoTitle: now.title}) // shown only
	}
	if !sameReason(now.noted, s.published.noted) && workflow.GetVersion(ctx, changeNoted, workflow.DefaultVersion, 1) == 1 {
		_ = workflow.UpsertMemo(ctx, map[string]any{protocol.MemoReason: now.noted}) // shown only
	}
	if updates := s.attributes(now); len(updates) > 0 {
		_ = workflow.UpsertTypedSearchAttributes(ctx, updates...) // the worker made sure that they exist
	}
	s.published = now
}

// changeNoted names the change by which the memo got the reason.
const changeNoted = "reason-in-memo"

// noted is what the list of all shops shows of the reason.
func (s *stockSync) noted() *protocol.NotedReason {
	if s.Reason == nil {
		return nil
	}
	noted := &protocol.NotedReason{Reason: *s.Reason}
	if s.Pause != nil {
		noted.Until = s.Pause.Until
	}
	return noted
}

func sameReason(a, b *protocol.NotedReason) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Failure == b.Failure && a.Since.Equal(b.Since) && lo.FromPtr(a.Until).Equal(lo.FromPtr(b.Until))
}

func (s *stockSync) attributes(now published) []temporal.SearchAttributeUpdate {
	var updates []temporal.SearchAttributeUpdate
	if s.published.state == "" {
		updates = append(updates, searchShop.ValueSet(s.Shop))
	}
	if now.state != s.published.state {
		updates = append(updates, searchState.ValueSet(string(now.state)))
	}
	if now.reason != s.published.reason {
		if now.reason == "" {
			updates = append(updates, searchReason.ValueUnset())
		} else {
			updates = append(updates, searchReason.ValueSet(string(now.reason)))
		}
	}
	if !now.success.Equal(s.published.success) {
		updates = append(updates, searchSuccess.ValueSet(now.success))
	}
	return updates
}

var (
	searchShop    = temporal.NewSearchAttributeKeyKeyword(protocol.SearchShop)
	searchState   = temporal.NewSearchAttributeKeyKeyword(protocol.SearchState)
	searchReason  = temporal.NewSearchAttributeKeyKeyword(protocol.SearchReason)
	searchSuccess = temporal.NewSearchAttributeKeyTime(protocol.SearchLastSuccess)
)

// leave ends the workflow for good.
func (s *stockSync) leave(ctx workflow.Context) error {
	s.drain(ctx)
	s.Pause = nil
	s.turn(ctx, protocol.StateInactive, nil)
	s.publish(ctx)
	s.left = true
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}
