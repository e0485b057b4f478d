using System.Security.Cryptography;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>
/// Ciphering against the example of the Green Book (get-request of the clock with AES-GCM-128), key wrap against
/// RFC 3394.
/// </summary>
public class CipherTests
{
    private static readonly byte[] Title = Telegrams.Hex("4D4D4D0000BC614E");
    private static readonly byte[] Ek = Telegrams.Hex("000102030405060708090A0B0C0D0E0F");
    private static readonly byte[] Ak = Telegrams.Hex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF");
    private static readonly byte[] Plain = Telegrams.Hex("C0010000080000010000FF0200");
    private static readonly MeterId Meter = MeterId.FromSystemTitle(Title);

    [Theory]
    [InlineData(0x10, "C81E1001234567C0010000080000010000FF020006725D910F9221D263877516")]
    [InlineData(0x20, "C8122001234567411312FF935A47566827C467BC")]
    [InlineData(0x30, "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B")]
    public void The_published_example_seals_and_opens(byte control, string expected)
    {
        using var keys = new FrameKeys();
        keys.Set(Meter, KeyUse.GlobalUnicast, Ek, Ak);
        var w = new ByteWriter();
        Assert.Equal(WireCode.None, Protected.Write(w, ApduTag.GloGetRequest, keys, Meter, Title,
            new SecurityControl(control), 0x01234567, Plain));
        Assert.Equal(expected, Convert.ToHexString(w.Written));
        Assert.True(Protected.TryRead(w.Written, Title, out var message, out _));
        var plain = new byte[64];
        Assert.True(message.TryOpen(keys, Meter, plain, out var length, out _));
        Assert.Equal(Plain, plain[..length]);
    }

    [Theory]
    [InlineData(ApduTag.GeneralGloCiphering, 0x30, KeyUse.GlobalUnicast)]
    [InlineData(ApduTag.GeneralGloCiphering, 0x70, KeyUse.GlobalBroadcast)]
    [InlineData(ApduTag.GeneralDedCiphering, 0x30, KeyUse.Dedicated)]
    [InlineData(ApduTag.DedGetRequest, 0x30, KeyUse.Dedicated)]
    [InlineData(ApduTag.GloActionResponse, 0x70, KeyUse.GlobalBroadcast)]
    public void A_message_opens_with_the_key_it_names_and_no_other(ApduTag tag, byte control, KeyUse use)
    {
        KeyUse[] uses = [KeyUse.GlobalUnicast, KeyUse.GlobalBroadcast, KeyUse.Dedicated];
        using var sender = new FrameKeys();
        foreach (var each in uses)
        {
            byte[] key = [(byte)each, .. Ek.AsSpan(1)];
            sender.Set(Meter, each, key, Ak);
        }
        var w = new ByteWriter();
        Assert.Equal(WireCode.None,
            Protected.Write(w, tag, sender, Meter, Title, new SecurityControl(control), 1, Plain));
        Assert.True(Protected.TryRead(w.Written, Title, out var message, out _));
        Assert.Equal(use, message.Use);
        foreach (var each in uses)
        {
            using var receiver = new FrameKeys();
            byte[] key = [(byte)each, .. Ek.AsSpan(1)];
            receiver.Set(Meter, use, key, Ak);
            Assert.Equal(each == use, message.TryOpen(receiver, Meter, new byte[64], out _, out var error));
            Assert.Equal(each == use ? WireCode.None : WireCode.AuthenticationFailed, error.Code);
        }
    }

    [Fact]
    public void A_suite_asks_for_keys_of_its_length()
    {
        using var keys = new FrameKeys();
        keys.Set(Meter, KeyUse.GlobalUnicast, Ek, Ak);
        var w = new ByteWriter();
        Assert.Equal(WireCode.NoKey, Protected.Write(w, ApduTag.GloGetRequest, keys, Meter, Title,
            new SecurityControl(2, true, true), 1, Plain));
        Assert.Equal(0, w.Length);
        keys.Set(Meter, KeyUse.GlobalUnicast, Ek, default);
        Assert.Equal(WireCode.NoKey, Protected.Write(w, ApduTag.GloGetRequest, keys, Meter, Title,
            new SecurityControl(0, true, true), 1, Plain));
    }

    [Theory]
    [InlineData(16, "000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
        "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")]
    [InlineData(32, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF", "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7")]
    [InlineData(32, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")]
    public void Key_wrap_gives_the_vectors_of_the_rfc(int kekBytes, string kek, string key, string expected)
    {
        var (kekKey, plain) = (Telegrams.Hex(kek), Telegrams.Hex(key));
        Assert.Equal(kekBytes, kekKey.Length);
        var wrapped = new byte[plain.Length + KeyWrap.Overhead];
        KeyWrap.Wrap(kekKey, plain, wrapped);
        Assert.Equal(expected, Convert.ToHexString(wrapped));
        var back = new byte[plain.Length];
        Assert.True(KeyWrap.TryUnwrap(kekKey, wrapped, back));
        Assert.Equal(plain, back);
        wrapped[3] ^= 1;
        Assert.False(KeyWrap.TryUnwrap(kekKey, wrapped, back));
        Assert.All(back, b => Assert.Equal(0, b));
    }
}
