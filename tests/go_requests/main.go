// Certificate requests as Go's crypto/x509 makes them: one file for every kind of key, into the folder that is named.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	write := func(name string, key crypto.Signer, algorithm x509.SignatureAlgorithm) {
		template := x509.CertificateRequest{
			Subject:            pkix.Name{Country: []string{"SE"}, Organization: []string{"Example AB"}, CommonName: "Example " + name},
			DNSNames:           []string{"example.com"},
			SignatureAlgorithm: algorithm,
		}
		der := must(x509.CreateCertificateRequest(rand.Reader, &template, key))
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
		if err := os.WriteFile(filepath.Join(os.Args[1], "go-"+name+".pem"), block, 0o644); err != nil {
			panic(err)
		}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		write("ecdsa-"+curve.Params().Name, must(ecdsa.GenerateKey(curve, rand.Reader)), x509.UnknownSignatureAlgorithm)
	}
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	write("rsa-pkcs1", key, x509.SHA256WithRSA)
	write("rsa-pkcs1-sha512", key, x509.SHA512WithRSA)
	write("rsa-pss", key, x509.SHA256WithRSAPSS)
	write("rsa-pss-sha384", key, x509.SHA384WithRSAPSS)
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	write("ed25519", signer, x509.UnknownSignatureAlgorithm)
	for name, parameters := range map[string]mldsa.Parameters{"ml-dsa-44": mldsa.MLDSA44(), "ml-dsa-65": mldsa.MLDSA65(), "ml-dsa-87": mldsa.MLDSA87()} {
		write(name, must(mldsa.GenerateKey(parameters)), x509.UnknownSignatureAlgorithm)
	}
}
