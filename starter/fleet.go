package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

// filter says which of the activated shops are listed. Empty: all.
type filter struct {
	state  protocol.State
	before time.Time // only shops whose last success is earlier, or that have none
}

const shopsPerPage = 500

// query is the filter in the language of Temporal's visibility.
func (f filter) query() string {
	conditions := []string{fmt.Sprintf("WorkflowType = '%s'", protocol.StockSync), "ExecutionStatus = 'Running'"}
	if f.state != "" {
		conditions = append(conditions, fmt.Sprintf("%s = '%s'", protocol.SearchState, f.state))
	}
	if !f.before.IsZero() {
		conditions = append(conditions, fmt.Sprintf("(%[1]s < '%[2]s' OR %[1]s IS NULL)",
			protocol.SearchLastSuccess, f.before.UTC().Format(time.RFC3339)))
	}
	return strings.Join(conditions, " AND ")
}

// fleet lists shops from visibility: not one of their workflows is asked, so
// it takes as long for thousands of shops as for one page of them.
func (a *app) fleet(ctx context.Context, f filter) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	shops, err := c.shops(ctx, f)
	if err != nil {
		return err
	}
	a.both(render.Fleet(shops, a.now().In(a.zone)), lo.Map(shops, func(s render.Listed, _ int) listed { return newListed(s) }))
	return nil
}

// shops returns the shops by name, with what visibility knows of them.
func (c *connection) shops(ctx context.Context, f filter) ([]render.Listed, error) {
	var shops []render.Listed
	request := &workflowservice.ListWorkflowExecutionsRequest{Query: f.query(), PageSize: shopsPerPage}
	for {
		page, err := c.listPage(ctx, request)
		if err != nil {
			return nil, c.unlisted(err)
		}
		for _, execution := range page.GetExecutions() {
			shops = append(shops, c.visible(execution))
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			break
		}
	}
	slices.SortFunc(shops, func(a, b render.Listed) int { return cmp.Compare(a.Shop, b.Shop) })
	return shops, nil
}

func (c *connection) listPage(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return c.ListWorkflow(ctx, request)
}

// unlisted explains a refused list: a server that no worker has prepared does
// not know the search attributes.
func (c *connection) unlisted(err error) error {
	var invalid *serviceerror.InvalidArgument
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "search attribute") {
		return c.explain("", err)
	}
	return c.wrap("", err, fmt.Sprintf("Temporal at %s does not know the search attributes of Skladom in the namespace %q.", c.address, c.namespace),
		fmt.Sprintf("Start a worker: it adds them. Or type: temporal operator search-attribute create --namespace %s --name %s --type Keyword --name %s --type Keyword --name %s --type Keyword --name %s --type Datetime",
			c.namespace, protocol.SearchShop, protocol.SearchState, protocol.SearchReason, protocol.SearchLastSuccess))
}

// visible reads what visibility knows of a shop.
func (c *connection) visible(execution *workflowpb.WorkflowExecutionInfo) render.Listed {
	attributes, memo := execution.GetSearchAttributes().GetIndexedFields(), execution.GetMemo().GetFields()
	plain := converter.GetDefaultDataConverter() // search attributes are packed by no codec
	shop := strings.TrimPrefix(execution.GetExecution().GetWorkflowId(), protocol.StockSyncID(""))
	seen := render.Listed{Status: protocol.Status{
		Shop:  shop,
		Title: cmp.Or(decoded[string](c, memo[protocol.MemoTitle]), shop),
		State: protocol.State(decoded[string](plain, attributes[protocol.SearchState])),
	}}
	if code := protocol.Code(decoded[string](plain, attributes[protocol.SearchReason])); code != "" {
		seen.Reason = &protocol.Reason{Failure: protocol.Failure{Code: code}}
		if noted := decoded[protocol.NotedReason](c, memo[protocol.MemoReason]); noted.Code == code {
			seen.Reason, seen.Until = &noted.Reason, noted.Until
		}
	}
	if last := decoded[time.Time](plain, attributes[protocol.SearchLastSuccess]); !last.IsZero() {
		seen.LastSuccessAt = &last
	}
	return seen
}

type decoder interface {
	FromPayload(payload *commonpb.Payload, value any) error
}

// decoded is a value of visibility, zero where it is missing or of another type.
func decoded[T any](by decoder, payload *commonpb.Payload) T {
	var value T
	if payload == nil || by.FromPayload(payload, &value) != nil {
		return lo.Empty[T]()
	}
	return value
}

// listed is a Status of which only a part is known: the rest is null.
type listed struct {
	Shop          string        `json:"shop"`
	Title         string        `json:"title"`
	State         *string       `json:"state"`
	Reason        *listedReason `json:"reason"`
	NextPassAt    *time.Time    `json:"nextPassAt"`
	LastPass      *struct{}     `json:"lastPass"`
	LastSuccessAt *time.Time    `json:"lastSuccessAt"`
	KrosChangedAt *time.Time    `json:"krosChangedAt"`
	Notifications *struct{}     `json:"notifications"`
}

type listedReason struct {
	Code    protocol.Code `json:"code"`
	Message *string       `json:"message"`
	Hint    *string       `json:"hint"`
	Since   *time.Time    `json:"since"`
}

func newListed(s render.Listed) listed {
	l := listed{Shop: s.Shop, Title: s.Title, State: lo.EmptyableToPtr(string(s.State)), LastSuccessAt: s.LastSuccessAt}
	if s.Reason != nil {
		l.Reason = &listedReason{
			Code: s.Reason.Code, Message: lo.EmptyableToPtr(s.Reason.Message), Hint: lo.EmptyableToPtr(s.Reason.Hint), Since: lo.EmptyableToPtr(s.Reason.Since),
		}
	}
	return l
}
