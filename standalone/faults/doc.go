// Package faults plays sequences of trouble: a shop is connected, some passes go
// through everything that a network, KROS and an e-shop can do wrong while stock
// and orders move, then all is healthy again, and one pass has to put right what
// is left. Each sequence is made from one number and can be played again.
//
// What must hold stands in judge.go. It is measured at the two simulators, in
// reports and histories, and compared with the oracle of testsuite/catalogue,
// which shares no code with the product. Nothing here knows how the product
// works inside.
package faults
