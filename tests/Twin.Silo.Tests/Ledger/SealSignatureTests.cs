using System.Security.Cryptography;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Signatures;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Ledger;

/// <summary>
/// Seals with a second signature: what every edition says of them. A keyed hash stands in for ML-DSA, which only one
/// edition can compute.
/// </summary>
public sealed class SealSignatureTests : IDisposable
{
    private static readonly LedgerChain End = new(7, SHA256.HashData("seven"u8));
    private static readonly UnixTime At = new(1_700_000_000);
    private static readonly KnownKey Other = new(SignatureAlgorithm.MlDsa65, SHA256.HashData("a public key"u8));
    private static readonly SignatureSuite Knowing =
        SignatureSuite.Classical.With(SignatureAlgorithm.MlDsa65, (key, message, signature) =>
            Sign(key, message).AsSpan().SequenceEqual(signature));

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => _key.Dispose();

    /// <summary>As long as one of ML-DSA-65 is.</summary>
    private static byte[] Sign(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message)
    {
        var signature = new byte[MlDsaForms.SignatureBytes];
        HMACSHA256.HashData(key, message).CopyTo(signature, 0);
        return signature;
    }

    private LedgerSeal Plain() => new(End.Number, At, _key.ExportSubjectPublicKeyInfo(),
        _key.SignData(End.ToBeSigned(), HashAlgorithmName.SHA256));

    private LedgerSeal Both()
    {
        var key = _key.ExportSubjectPublicKeyInfo();
        var message = LedgerSeal.ToBeSigned(End, key, [Other]);
        return new(End.Number, At, key, _key.SignData(message, HashAlgorithmName.SHA256))
        {
            Also = new SignatureList([new(Other.Algorithm, Other.KeyId, Other.Key, Sign(Other.Key.Span, message))]),
        };
    }

    private static SignatureAnswer[] Answers(LedgerSeal seal, SignatureSuite suite) =>
        [.. seal.Judge(End, suite).Select(s => s.Answer)];

    [Fact]
    public void EachSignatureIsJudgedByWhatTheReaderKnows()
    {
        Assert.Equal([SignatureAnswer.Good], Answers(Plain(), Knowing));
        Assert.Equal([SignatureAnswer.Good, SignatureAnswer.Good], Answers(Both(), Knowing));
        Assert.Equal([SignatureAnswer.Good, SignatureAnswer.UnknownAlgorithm],
            Answers(Both(), SignatureSuite.Classical));
        Assert.True(Both().Seals(End));
        Assert.False(Both().Seals(End with { Number = 8 }));
        Assert.Equal("MeterTwin ledger seal 1\0"u8.ToArray(), End.ToBeSigned()[..24]);
        Assert.Equal("MeterTwin ledger seal 2\0"u8.ToArray(),
            LedgerSeal.ToBeSigned(End, Plain().Key, [Other])[..24]);
    }

    [Fact]
    public void TakingOneAwayBreaksTheOther()
    {
        Assert.Equal([SignatureAnswer.Bad], Answers(Both() with { Also = SignatureList.None }, Knowing));
        var grafted = Plain() with { Also = Both().Also };
        Assert.Equal([SignatureAnswer.Bad, SignatureAnswer.Good], Answers(grafted, Knowing));
        var (algorithm, id, key, value) = Both().Also.All[0];
        SignatureAnswer[] With(ListedSignature s) =>
            Answers(Both() with { Also = new SignatureList([s]) }, Knowing);
        var bent = value.ToArray();
        bent[3] ^= 1;
        Assert.Equal([SignatureAnswer.Good, SignatureAnswer.Bad], With(new(algorithm, id, key, bent)));
        Assert.Equal([SignatureAnswer.Good, SignatureAnswer.Bad], With(new(algorithm, id ^ 1, key, value)));
        Assert.Equal([SignatureAnswer.Bad, SignatureAnswer.Bad], With(new(algorithm, id, default, value)));
    }

    [Fact]
    public void BothKindsAreStoredAndAnOldOneIsReadAsItWas()
    {
        foreach (var seal in (LedgerSeal[])[Plain(), Both()])
        {
            var read = LedgerSeal.OfStored(seal.Number, seal.At, seal.Key, seal.StoredSignature());
            Assert.True(read.Seals(End, Knowing));
            Assert.Equal(seal.Signature, read.Signature);
            Assert.Equal(seal.Also.Encode(), read.Also.Encode());
            Assert.False(read.IsNewer);
        }
        Assert.Equal(64, Plain().StoredSignature().Length);
        var stored = Both().StoredSignature();
        stored[4] = 2;
        var newer = LedgerSeal.OfStored(End.Number, At, Both().Key, stored);
        Assert.True(newer.IsNewer);
        Assert.False(newer.Seals(End));
        Assert.Contains("of a newer format", SealTrust.Anybody.Problem(newer, newer.Judge(End, Knowing)));
        Assert.False(LedgerSeal.OfStored(End.Number, At, Both().Key, stored[..^70]).Seals(End));
        for (var i = 0; i < stored.Length; i += 97)
        {
            var damaged = Both().StoredSignature();
            damaged[i] ^= 4;
            Assert.False(LedgerSeal.OfStored(End.Number, At, Both().Key, damaged).Seals(End, Knowing), $"byte {i}");
        }
    }

    private SealTrust Trust(SignatureSuite suite, SignaturePolicy? policy, params KnownKey[] others) =>
        new([_key.ExportSubjectPublicKeyInfo()], others, policy, suite);

    private static string? Verdict(SealTrust trust, LedgerSeal seal)
    {
        var judged = seal.Judge(End, trust.Suite);
        return trust.Problem(seal, judged) ?? trust.Lacking(seal.Number, judged);
    }

    [Fact]
    public void WhatIsRequiredFollowsFromTheKeysOrIsSaid()
    {
        var stranger = new KnownKey(SignatureAlgorithm.MlDsa65, new byte[32]);
        foreach (var seal in (LedgerSeal[])[Plain(), Both()])
        {
            Assert.Null(Verdict(SealTrust.Anybody with { Suite = Knowing }, seal));
            Assert.Null(Verdict(Trust(SignatureSuite.Classical, null), seal));
            Assert.Null(Verdict(Trust(SignatureSuite.Classical, null, Other), seal));
        }
        Assert.Null(Verdict(Trust(Knowing, null, Other), Both()));
        Assert.Contains("has no good post-quantum signature: it was taken away",
            Verdict(Trust(Knowing, null, Other), Plain()));
        Assert.Contains("it was taken away", Verdict(Trust(Knowing, SignaturePolicy.Classical, Other), Plain()));
        Assert.Contains("it was taken away", Verdict(Trust(Knowing, SignaturePolicy.Both), Plain()));
        Assert.Contains("its ML-DSA-65 signature cannot be checked by this edition",
            Verdict(Trust(SignatureSuite.Classical, SignaturePolicy.Both), Both()));
        Assert.Contains("is none of those given with --key", Verdict(Trust(Knowing, null, stranger), Both()));
        Assert.Contains("is none of those given with --key",
            Verdict(Trust(SignatureSuite.Classical, null, stranger), Both()));
        using var quantum = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var elsewhere = new SealTrust([quantum.ExportSubjectPublicKeyInfo()], [Other], SignaturePolicy.PostQuantum,
            Knowing);
        Assert.Null(Verdict(elsewhere, Both()));
        Assert.NotNull(Verdict(elsewhere with { Policy = SignaturePolicy.Both }, Both()));
    }

    [Fact]
    public void APersonReadsWhichSignatureWasChecked()
    {
        var tally = new SealTally();
        tally.Add(Plain(), Plain().Judge(End, SignatureSuite.Classical));
        for (var i = 0; i < 2; i++) tally.Add(Both(), Both().Judge(End, SignatureSuite.Classical));
        Assert.Equal(
        [
            $"ECDSA signature of key {LedgerSeal.FingerprintOf(Plain().Key)} checked in 3 seals",
            $"ML-DSA-65 signature of key {LedgerSeal.FingerprintOf(Other.Key.ToArray())} present in 2 seals, not "
                + "checked by this edition",
        ], tally.Lines());
    }

    [Fact]
    public void KeysOfBothKindsAreReadFromOneFile()
    {
        var other = new byte[MlDsaForms.PublicBytes];
        var pem = _key.ExportSubjectPublicKeyInfoPem() + "\n"
            + PemEncoding.WriteString("PUBLIC KEY", MlDsaForms.PublicInfo(other)) + "\n";
        var (keys, others) = SealTrust.ReadKeys(pem);
        Assert.Equal(_key.ExportSubjectPublicKeyInfo(), Assert.Single(keys));
        Assert.Equal(other, Assert.Single(others).Key.ToArray());
        Assert.Throws<ArgumentException>(() => SealTrust.ReadKeys("nothing"));
    }
}
