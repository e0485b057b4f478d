using System.Security.Cryptography;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>
/// general-ciphering with identified, wrapped and agreed keys, and general-signing, in suites 0, 1 and 2.
/// </summary>
public class GeneralCipheringTests
{
    private static readonly byte[] Meter = Telegrams.Hex("4D4D4D0000BC614E");
    private static readonly byte[] HeadEnd = Telegrams.Hex("4D4D4D0000000001");
    private static readonly byte[] Transaction = [1, 2, 3, 4, 5, 6, 7, 8];
    private static readonly MeterId Id = MeterId.FromSystemTitle(Meter);
    private static readonly byte[] Plain = Telegrams.Hex("C0010000080000010000FF0200");

    private static byte[] Key(int suite, byte first) =>
        [.. Enumerable.Range(first, suite == 2 ? 32 : 16).Select(i => (byte)i)];

    private static GeneralHead Head => new()
    { TransactionId = Transaction, Originator = Meter, Recipient = HeadEnd, OtherInformation = [7] };

    /// <summary>A key pair with a fixed private number, so that a run repeats.</summary>
    private static ECParameters Pair(int suite, byte seed)
    {
        var d = new byte[KeyAgreement.FieldBytes(suite)];
        Array.Fill(d, seed);
        return new ECParameters { Curve = KeyAgreement.Curve(suite), D = d };
    }

    private static byte[] Seal(IFrameCipher cipher, in GeneralKey key, int suite, uint counter = 0)
    {
        var w = new ByteWriter();
        Assert.Equal(WireCode.None, Protected.WriteGeneral(w, cipher, Id, Head, key,
            new SecurityControl(suite, true, true), counter, Plain));
        return w.ToArray();
    }

    private static WireCode Open(FrameKeys keys, byte[] apdu)
    {
        Assert.True(Protected.TryRead(apdu, default, out var message, out var error), error.Describe());
        Assert.Equal(HeadEnd, message.Recipient.ToArray());
        var plain = new byte[message.Payload.Length];
        if (!message.TryOpen(keys, Id, plain, out _, out error)) return error.Code;
        Assert.Equal(Plain, plain);
        return WireCode.None;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void An_identified_key_opens_and_every_head_field_is_authenticated(int suite)
    {
        using var keys = new FrameKeys();
        keys.Set(Id, KeyUse.GlobalUnicast, Key(suite, 1), Key(suite, 50));
        var apdu = Seal(keys, new GeneralKey { Use = KeyUse.GlobalUnicast }, suite, 9);
        Assert.Equal("DD08010203040506070808" + "4D4D4D0000BC614E084D4D4D0000000001" + "000107" + "010000",
            Convert.ToHexString(apdu.AsSpan(0, 34)));
        Assert.Equal(WireCode.None, Open(keys, apdu));
        foreach (var at in (int[])[5, 12, 30, apdu.Length - 1, apdu.Length - 15])
        {
            var changed = (byte[])apdu.Clone();
            changed[at] ^= 1;
            Assert.True(Protected.TryRead(changed, default, out var message, out _));
            Assert.False(message.TryOpen(keys, Id, new byte[64], out _, out var error));
            Assert.Equal(WireCode.AuthenticationFailed, error.Code);
        }
    }

    [Fact]
    public void The_authenticated_data_hold_lengths_and_values_of_the_head()
    {
        using var keys = new FrameKeys();
        keys.Set(Id, KeyUse.GlobalUnicast, Key(0, 1), Key(0, 50));
        var apdu = Seal(keys, new GeneralKey { Use = KeyUse.GlobalUnicast }, 0, 0x01020304);
        using var gcm = new AesGcm(Key(0, 1), 12);
        byte[] aad = [0x30, .. Key(0, 50), 8, .. Transaction, 8, .. Meter, 8, .. HeadEnd, 0, 1, 7];
        var (cipher, tag) = (new byte[Plain.Length], new byte[12]);
        byte[] nonce = [.. Meter, 1, 2, 3, 4];
        gcm.Encrypt(nonce, Plain, cipher, tag, aad);
        Assert.Equal((byte[])[.. cipher, .. tag], apdu[^(Plain.Length + 12)..]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_wrapped_key_opens(int suite)
    {
        var (kek, ak, key) = (Key(suite, 100), Key(suite, 50), Key(suite, 7));
        var wrapped = new byte[key.Length + KeyWrap.Overhead];
        KeyWrap.Wrap(kek, key, wrapped);
        using var sender = new FrameKey(key, ak);
        var apdu = Seal(sender, new GeneralKey { Use = KeyUse.Wrapped, Data = wrapped }, suite);
        using var keys = new FrameKeys();
        Assert.Equal(WireCode.NoKey, Open(keys, apdu));
        keys.SetMaster(Id, kek, ak);
        Assert.Equal(WireCode.None, Open(keys, apdu));
        keys.SetMaster(Id, Key(suite, 101), ak);
        Assert.Equal(WireCode.KeyUnwrapFailed, Open(keys, apdu));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_key_agreed_in_one_pass_opens_when_the_ephemeral_key_is_signed(int suite)
    {
        using var ephemeral = ECDiffieHellman.Create(Pair(suite, 11));
        using var signing = ECDsa.Create(Pair(suite, 12));
        using var headEnd = ECDiffieHellman.Create(Pair(suite, 13));
        var data = KeyAgreement.SignEphemeral(suite, KeyAgreement.Export(ephemeral.ExportParameters(false)),
            (digest, signature) => signing.TrySignHash(digest, signature, out _));
        var ak = Key(suite, 50);
        using var sender = FrameKeys.Agree(ephemeral, headEnd.PublicKey, suite, KeyScheme.OnePass, Meter, Transaction,
            HeadEnd, ak);
        var apdu = Seal(sender,
            new GeneralKey { Use = KeyUse.Agreed, Scheme = KeyScheme.OnePass, Data = data }, suite);
        using var keys = new FrameKeys();
        Assert.Equal(WireCode.NoKey, Open(keys, apdu));
        keys.SetOwn(headEnd);
        keys.SetParty(Id, ak, null, signing);
        Assert.Equal(WireCode.None, Open(keys, apdu));
        using var other = ECDsa.Create(Pair(suite, 14));
        keys.SetParty(Id, ak, null, other);
        Assert.Equal(WireCode.KeyAgreementFailed, Open(keys, apdu));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_key_agreed_from_static_keys_opens(int suite)
    {
        using var meter = ECDiffieHellman.Create(Pair(suite, 21));
        using var headEnd = ECDiffieHellman.Create(Pair(suite, 22));
        var ak = Key(suite, 50);
        using var sender = FrameKeys.Agree(meter, headEnd.PublicKey, suite, KeyScheme.StaticUnified, Meter,
            Transaction, HeadEnd, ak);
        var apdu = Seal(sender, new GeneralKey { Use = KeyUse.Agreed, Scheme = KeyScheme.StaticUnified }, suite);
        using var keys = new FrameKeys();
        keys.SetOwn(headEnd);
        keys.SetParty(Id, ak, meter.PublicKey, null);
        Assert.Equal(WireCode.None, Open(keys, apdu));
        apdu[4] ^= 1;
        Assert.Equal(WireCode.AuthenticationFailed, Open(keys, apdu));
    }

    [Fact]
    public void The_key_derivation_hashes_counter_secret_algorithm_and_parties()
    {
        var z = Key(2, 0);
        byte[] one = [0, 0, 0, 1, .. z, 0x60, 0x85, 0x74, 6, 8, 3, 0, .. Meter, .. HeadEnd];
        Assert.Equal(SHA256.HashData(one)[..16],
            KeyAgreement.Derive(1, KeyPurpose.AesGcm128, z, Meter, Transaction, HeadEnd, KeyScheme.OnePass));
        byte[] z384 = [.. z, .. z.AsSpan(0, 16)];
        byte[] two = [0, 0, 0, 1, .. z384, 0x60, 0x85, 0x74, 6, 8, 3, 3, .. Meter, 8, .. Transaction, .. HeadEnd];
        Assert.Equal(SHA384.HashData(two)[..32], KeyAgreement.Derive(2, KeyPurpose.AesWrap256, z384, Meter,
            Transaction, HeadEnd, KeyScheme.StaticUnified));
    }

    /// <summary>RFC 5903, 8.1: both sides of a P-256 agreement come to the published x coordinate.</summary>
    [Fact]
    public void The_shared_secret_is_that_of_the_published_vector()
    {
        const string ours = "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433";
        const string theirs = "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
            + "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB";
        Assert.True(KeyAgreement.TryImport(1, Telegrams.Hex(theirs), out var key));
        using var peer = ECDiffieHellman.Create(key);
        using var own = ECDiffieHellman.Create(
            new ECParameters { Curve = KeyAgreement.Curve(1), D = Telegrams.Hex(ours) });
        Assert.Equal("D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE",
            Convert.ToHexString(own.DeriveRawSecretAgreement(peer.PublicKey)));
        var off = Telegrams.Hex(theirs);
        off[63] ^= 1;
        Assert.False(KeyAgreement.TryImport(1, off, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_signed_message_verifies_and_any_change_breaks_it(int suite)
    {
        using var signing = ECDsa.Create(Pair(suite, 31));
        var w = new ByteWriter();
        Assert.Equal(WireCode.None, Signed.Write(w, Head, Plain, suite,
            (digest, signature) => signing.TrySignHash(digest, signature, out _)));
        Assert.True(Signed.TryRead(w.Written, out var message, out _));
        Assert.Equal(Plain, message.Content.ToArray());
        Assert.Equal(suite, message.Suite);
        Assert.True(message.IsSignedBy(signing));
        using var other = ECDsa.Create(Pair(3 - suite, 31));
        Assert.False(message.IsSignedBy(other));
        for (var at = 2; at < w.Length; at += 7)
        {
            var changed = w.ToArray();
            changed[at] ^= 0x20;
            Assert.False(Signed.TryRead(changed, out message, out _) && message.IsSignedBy(signing));
        }
        Assert.Equal(WireCode.SignatureFailed, Signed.Write(w, Head, Plain, suite, (_, _) => false));
    }

    [Fact]
    public void Keys_are_transferred_as_data()
    {
        var w = new ByteWriter();
        KeyTransfer.Write(w, [new(KeyUse.GlobalUnicast, Key(0, 3)), new(KeyUse.Master, Key(2, 4))]);
        Assert.True(KeyTransfer.TryRead(w.Written, out var keys, out _));
        Assert.Equal([KeyUse.GlobalUnicast, KeyUse.Master], keys.Select(k => k.Use));
        Assert.Equal(Key(2, 4), keys[1].Data);
        w.Clear();
        KeyTransfer.Write(w, [new(KeyUse.Master, [1]), new(KeyUse.Master, [2])]);
        Assert.False(KeyTransfer.TryRead(w.Written, out _, out var error));
        Assert.Equal(WireCode.BadValue, error.Code);
    }

    [Theory]
    [InlineData("DB084D4D4D0000BC614E050000000000", WireCode.BadSecurityControl)]
    [InlineData("DB084D4D4D0000BC614E053300000000", WireCode.BadSecurityControl)]
    [InlineData("DB074D4D4D0000BC61053000000000", WireCode.BadLength)]
    [InlineData("DB084D4D4D0000BC614E0630000000", WireCode.Truncated)]
    [InlineData("DB084D4D4D0000BC614E05300000000001", WireCode.TrailingBytes)]
    [InlineData("DB084D4D4D0000BC614E06300000000001", WireCode.Truncated)]
    [InlineData("C8063000000000", WireCode.NoKey)]
    [InlineData("0F00", WireCode.UnknownTag)]
    public void Damaged_heads_are_told(string hex, WireCode expected)
    {
        Assert.False(Protected.TryRead(Telegrams.Hex(hex), default, out _, out var error));
        Assert.Equal(expected, error.Code);
    }
}
