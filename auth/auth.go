// Package auth turns secrets into answers: passwords, tokens and keys as pure
// functions.
//
// It knows nothing of databases, requests or users. Give it a password and it
// gives back a hash to store; give it a token and the time and it says who is
// asking. What must stay true:
//
//   - A secret never leaves the package in readable form: errors do not quote
//     passwords or tokens, and printing [Keys] prints no key.
//   - Secrets are compared in constant time, so an answer's delay tells nothing.
//   - Randomness comes from crypto/rand and the time is always an argument, so
//     every rule about expiry can be tested without waiting.
//   - Work is bounded: password hashing by a semaphore, token parsing by length.
package auth
