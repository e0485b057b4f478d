using Twin.Hardware.Crypto;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Tests.Signatures;

public class SignatureListTests
{
    private static readonly SigningKey Maker = new(NistCurve.P256, 1, "maker");
    private static readonly KnownKey Known = new(SignatureAlgorithm.EcdsaP256, Maker.PublicKey.Point.ToArray());
    private static readonly byte[] Message = "what is signed"u8.ToArray();

    private static ListedSignature Listed(SignatureAlgorithm algorithm, ulong key, params byte[] value) =>
        new(algorithm, key, default, value);

    private static SignatureList Two() => new([Listed(SignatureAlgorithm.HssLms, 7, 1, 2, 3),
        new ListedSignature(SignatureAlgorithm.MlDsa65, 9, new byte[] { 5, 6 }, new byte[] { 4 })]);

    [Fact]
    public void AListGoesRoundInOneOrder()
    {
        var bytes = Two().Encode();
        Assert.Equal("4D54534701020309000000000000000205060104040700000000000000000301020300",
            Convert.ToHexString([.. bytes, 0]));
        Assert.Equal(SignatureListFault.None, SignatureList.TryRead([.. bytes, 0xFF], out var read, out var length));
        Assert.Equal(bytes.Length, length);
        Assert.Equal(bytes, read.Encode());
        Assert.Equal([SignatureAlgorithm.MlDsa65, SignatureAlgorithm.HssLms], read.All.Select(s => s.Algorithm));
    }

    [Fact]
    public void EveryTruncationAndEveryFlippedByteHasATypedAnswer()
    {
        var bytes = Two().Encode();
        for (var n = 0; n < bytes.Length; n++)
            Assert.Equal(n < 5 ? SignatureListFault.NoList : SignatureListFault.Damaged,
                SignatureList.TryRead(bytes.AsSpan(0, n), out _, out _));
        for (var i = 0; i < bytes.Length; i++)
        {
            var bent = bytes.ToArray();
            bent[i] ^= 0x80;
            var fault = SignatureList.TryRead(bent, out var read, out _);
            if (fault == SignatureListFault.None) Assert.Equal(bent, read.Encode());
            Assert.Equal(i < 4 ? SignatureListFault.NoList : i == 4 ? SignatureListFault.NewerFormat : fault, fault);
        }
    }

    [Fact]
    public void OtherFormsOfTheSameListAreDamaged()
    {
        var bytes = Two().Encode();
        // The two in the other order, none at all, version 0, one twice.
        var (head, first, second) = (bytes[..5], bytes[6..20], bytes[20..]);
        Assert.Equal(SignatureListFault.Damaged, SignatureList.TryRead([.. head, 2, .. second, .. first], out _,
            out _));
        Assert.Equal(SignatureListFault.Damaged, SignatureList.TryRead([.. head, 2, .. first, .. first], out _, out _));
        Assert.Equal(SignatureListFault.Damaged, SignatureList.TryRead([.. head, 0], out _, out _));
        Assert.Equal(SignatureListFault.Damaged, SignatureList.TryRead([.. head[..4], 0, .. bytes[5..]], out _, out _));
        Assert.Equal(SignatureListFault.None, SignatureList.TryRead([.. head, 1, .. first], out _, out _));
    }

    [Fact]
    public void ListsAreBounded()
    {
        ListedSignature Of(int algorithm, int bytes = 1, int key = 0) =>
            new((SignatureAlgorithm)algorithm, 1, new byte[key], new byte[bytes]);
        Assert.Equal(4, new SignatureList([Of(1), Of(2), Of(3), Of(200)]).All.Count);
        Assert.Throws<ArgumentException>(() => new SignatureList([Of(1), Of(2), Of(3), Of(4), Of(5)]));
        Assert.Throws<ArgumentException>(() => new SignatureList([Of(1), Of(1)]));
        Assert.Throws<ArgumentException>(() => new SignatureList([Of(0)]));
        Assert.Throws<ArgumentException>(() => new SignatureList([Of(1, 0)]));
        Assert.Throws<ArgumentException>(() => new SignatureList([Of(1, SignatureList.MaxValueBytes + 1)]));
        Assert.Throws<ArgumentException>(() => new SignatureList([Of(1, 1, SignatureList.MaxKeyBytes + 1)]));
    }

    [Fact]
    public void ASuiteSaysOfEachSignatureWhatItCan()
    {
        var value = Maker.Sign(NistCurve.P256.Digest(Message));
        SignatureAnswer Answer(ListedSignature s) => SignatureSuite.Classical.Check(Known, Message, s);
        Assert.Equal(SignatureAnswer.Good, Answer(Listed(SignatureAlgorithm.EcdsaP256, Known.KeyId, value)));
        Assert.Equal(SignatureAnswer.UnknownKey, Answer(Listed(SignatureAlgorithm.EcdsaP256, 1, value)));
        Assert.Equal(SignatureAnswer.UnknownKey, Answer(Listed(SignatureAlgorithm.EcdsaP384, Known.KeyId, value)));
        Assert.Equal(SignatureAnswer.UnknownAlgorithm, Answer(Listed(SignatureAlgorithm.MlDsa65, Known.KeyId, value)));
        Assert.Equal(SignatureAnswer.UnknownAlgorithm, Answer(Listed((SignatureAlgorithm)99, Known.KeyId, value)));
        value[40] ^= 1;
        Assert.Equal(SignatureAnswer.Bad, Answer(Listed(SignatureAlgorithm.EcdsaP256, Known.KeyId, value)));
        Assert.Equal(SignatureAnswer.Bad, Answer(Listed(SignatureAlgorithm.EcdsaP256, Known.KeyId, 1)));
    }

    /// <summary>Each policy over each pair of answers; "expected" are the algorithms with a key in force.</summary>
    [Theory]
    [InlineData(SignaturePolicy.Classical, "g-", "", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.Classical, "gu", "", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.Classical, "gk", "", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.Classical, "g-", "m", PolicyOutcome.Stripped)]
    [InlineData(SignaturePolicy.Classical, "gk", "m", PolicyOutcome.Stripped)]
    [InlineData(SignaturePolicy.Classical, "gb", "m", PolicyOutcome.BadSignature)]
    [InlineData(SignaturePolicy.Classical, "gg", "m", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.Classical, "-g", "m", PolicyOutcome.TooFew)]
    [InlineData(SignaturePolicy.Classical, "bg", "m", PolicyOutcome.BadSignature)]
    [InlineData(SignaturePolicy.Both, "g-", "", PolicyOutcome.TooFew)]
    [InlineData(SignaturePolicy.Both, "gu", "", PolicyOutcome.TooFew)]
    [InlineData(SignaturePolicy.Both, "-g", "", PolicyOutcome.TooFew)]
    [InlineData(SignaturePolicy.Both, "gg", "em", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.PostQuantum, "-g", "em", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.PostQuantum, "bg", "em", PolicyOutcome.Accepted)]
    [InlineData(SignaturePolicy.PostQuantum, "g-", "e", PolicyOutcome.TooFew)]
    [InlineData(SignaturePolicy.PostQuantum, "g-", "m", PolicyOutcome.Stripped)]
    [InlineData(SignaturePolicy.PostQuantum, "--", "", PolicyOutcome.TooFew)]
    public void APolicySaysWhatIsEnough(SignaturePolicy policy, string answers, string expected, PolicyOutcome outcome)
    {
        SignatureAnswer Of(char c) => c switch
        {
            'g' => SignatureAnswer.Good,
            'b' => SignatureAnswer.Bad,
            'u' => SignatureAnswer.UnknownAlgorithm,
            _ => SignatureAnswer.UnknownKey,
        };
        SignatureAlgorithm[] algorithms = [SignatureAlgorithm.EcdsaP256, SignatureAlgorithm.MlDsa65];
        var judged = answers.Select((c, i) => (c, i)).Where(x => x.c != '-')
            .Select(x => new JudgedSignature(algorithms[x.i], 1, Of(x.c))).ToList();
        Assert.Equal(outcome, SignatureRules.Judge(policy, judged, expected.Select(c => algorithms["em".IndexOf(c)])));
    }

    [Fact]
    public void WhatIsNotCheckedIsSaidPlainly()
    {
        Assert.Equal("ML-DSA-65 key 0000000000000007: present, not checked: the algorithm is not known here",
            new JudgedSignature(SignatureAlgorithm.MlDsa65, 7, SignatureAnswer.UnknownAlgorithm).ToString());
        Assert.Equal("algorithm 99 key 0000000000000007: good",
            new JudgedSignature((SignatureAlgorithm)99, 7, SignatureAnswer.Good).ToString());
    }

    [Fact]
    public void KeysOfMlDsaGoIntoTheirEnvelopesAndBack()
    {
        var key = new byte[MlDsaForms.PublicBytes];
        key[0] = 7;
        Assert.True(MlDsaForms.TryReadPublic(MlDsaForms.PublicInfo(key), out var read));
        Assert.Equal(key, read);
        Assert.False(MlDsaForms.TryReadPublic(MlDsaForms.PublicInfo(key).AsSpan(1), out _));
        Assert.False(MlDsaForms.TryReadPublic(key, out _));
        var seed = new byte[MlDsaForms.SeedBytes];
        seed[31] = 9;
        Assert.True(MlDsaForms.TryReadSeed(MlDsaForms.PrivateInfo(seed), out var back));
        Assert.Equal(seed, back);
        Assert.False(MlDsaForms.TryReadSeed(seed, out _));
        Assert.Throws<ArgumentException>(() => MlDsaForms.PublicInfo(seed));
        Assert.Throws<ArgumentException>(() => MlDsaForms.PrivateInfo(key));
    }
}
