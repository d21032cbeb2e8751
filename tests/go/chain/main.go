// A second opinion by Go's crypto/x509: a chain verifies at a moment, each certificate by the next; a list by its issuer.
//
//	chain MOMENT LEAF.pem ... ROOT.pem      list ISSUER.pem LIST.pem
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"time"
)

func block(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	b, _ := pem.Decode(text)
	return b.Bytes
}

func certificate(path string) *x509.Certificate {
	c, err := x509.ParseCertificate(block(path))
	if err != nil {
		panic(err)
	}
	return c
}

func main() {
	if os.Args[1] == "list" {
		list, err := x509.ParseRevocationList(block(os.Args[3]))
		if err != nil {
			panic(err)
		}
		if err := list.CheckSignatureFrom(certificate(os.Args[2])); err != nil {
			panic(err)
		}
		fmt.Println("go: list verifies, number", list.Number)
		return
	}
	seconds, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		panic(err)
	}
	var chain []*x509.Certificate
	for _, path := range os.Args[3:] {
		chain = append(chain, certificate(path))
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	for at := 1; at < len(chain)-1; at++ {
		between.AddCert(chain[at])
	}
	options := x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: time.Unix(seconds, 0),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if _, err := chain[0].Verify(options); err != nil {
		panic(err)
	}
	fmt.Println("go: chain verifies,", chain[0].Subject)
}
