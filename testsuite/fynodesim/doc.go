// Package fynodesim is a Fynode e-shop to try things against without a shop:
// the stock API that Skladom asks of one, with every way to break it as a
// switch.
//
// It is written from shop/fynode/api.yaml and shares no code with the driver,
// so that a mistake in the driver is not repeated here. It is strict where the
// driver is tolerant. Nothing else of the project may enter.
package fynodesim
