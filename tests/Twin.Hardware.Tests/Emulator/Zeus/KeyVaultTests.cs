using System.Reflection;
using System.Security.Cryptography;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

/// <summary>
/// No key leaves the vault. Members are a closed list: their types cannot carry a key, or they are named here with what
/// they write; and what they write is searched for the keys.
/// </summary>
public class KeyVaultTests
{
    private const KeySlot Guek = KeySlot.EncryptionUnicast, Gak = KeySlot.Authentication;

    /// <summary>Types that cannot carry a private key.</summary>
    private static readonly Type[] Harmless = [typeof(void), typeof(bool), typeof(EcPublicKey)];

    /// <summary>
    /// Members that write into a caller's buffer, or say a text: a new one belongs here and in the search.
    /// </summary>
    private static readonly string[] Writers = ["TrySign", "TrySeal", "TryOpen", "ToString"];

    /// <summary>What of a type's members a key could leave by.</summary>
    private static List<string> Leaks(Type type)
    {
        var leaks = new List<string>();
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public
            | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        leaks.AddRange(type.GetFields(all).Where(f => !f.IsPrivate && !f.IsLiteral).Select(f => $"field {f.Name}"));
        foreach (var method in type.GetMethods(all).Where(m => !m.IsPrivate))
        {
            if (Writers.Contains(method.Name)) continue;
            if (!Harmless.Contains(method.ReturnType) && !(method.IsStatic && method.ReturnType == type))
                leaks.Add($"{method.Name} returns {method.ReturnType.Name}");
            leaks.AddRange(method.GetParameters().Where(p => !TakesIn(p)).Select(p => $"{method.Name}({p.Name})"));
        }
        return leaks;
    }

    /// <summary>Parameters that only take something in.</summary>
    private static bool TakesIn(ParameterInfo p) => !p.ParameterType.IsByRef && (p.ParameterType.IsEnum
        || p.ParameterType == typeof(string) || p.ParameterType == typeof(ReadOnlySpan<byte>)
        || p.ParameterType == typeof(NistCurve) || p.ParameterType == typeof(Trng)
        || p.ParameterType == typeof(EcPublicKey));

    [Fact]
    public void NoMemberHandsOutAKey() => Assert.Empty(Leaks(typeof(KeyVault)));

    [Fact]
    public void SigningKeysOfOfficesHandOutNoneEither() =>
        Assert.Equal(["Sign returns Byte[]"], Leaks(typeof(SigningKey)));

    [Fact]
    public void TheSearchFindsWhatWouldLeak()
    {
        string[] expected = ["field Open", "get_Private returns Byte[]", "Copy(to)", "Out(key)", "Lend returns ECDsa"];
        Assert.Equal(expected.Order(), Leaks(typeof(Leaky)).Order());
    }

    /// <summary>Every operation that writes, over a vault whose keys the test knows: none of them comes out.</summary>
    [Fact]
    public void NoOutputHoldsAKey()
    {
        var vault = new KeyVault();
        var trng = new Trng(3, "L", NoiseCondition.Sound);
        trng.PowerOn(0);
        vault.TryGenerate(NistCurve.P256, trng);
        var again = new Trng(3, "L", NoiseCondition.Sound);
        again.PowerOn(0);
        byte[] signing = new byte[32], agreement = new byte[32];
        Assert.True(again.TryScalar(NistCurve.P256, signing) && again.TryScalar(NistCurve.P256, agreement));
        Assert.Equal(vault.SigningKey, EcPublicKey.OfPrivate(NistCurve.P256, signing));

        List<byte[]> secrets = [signing, agreement];
        for (var slot = KeySlot.Master; slot <= KeySlot.LlsPassword; slot++)
        {
            var key = SHA256.HashData([(byte)slot])[..16];
            vault.Load(slot, key);
            secrets.Add(key);
        }
        var outputs = new List<byte[]>();
        byte[] signature = new byte[64], sealedText = new byte[64], tag = new byte[12], opened = new byte[64];
        Assert.True(vault.TrySign(new byte[32], signature));
        Assert.True(vault.TrySeal(Guek, Gak, 0x30, new byte[12], [], new byte[64], sealedText, tag));
        Assert.True(vault.TryOpen(Guek, Gak, 0x30, new byte[12], [], sealedText, tag, opened));
        outputs.AddRange([signature, sealedText, tag, opened, vault.SigningKey!.Point.ToArray(),
            System.Text.Encoding.UTF8.GetBytes(vault.ToString())]);
        foreach (var secret in secrets)
        {
            foreach (var output in outputs)
                for (var i = 0; i + 8 <= secret.Length; i += 4)
                    Assert.True(output.AsSpan().IndexOf(secret.AsSpan(i, 8)) < 0, "a piece of a key came out");
            Assert.DoesNotContain(Convert.ToHexString(secret)[..12], vault.ToString(),
                StringComparison.OrdinalIgnoreCase);
        }
        Assert.Equal("key vault, 9 keys, signing ready", vault.ToString());
    }

    [Fact]
    public void SealedIsOpenedAndABentFrameIsNot()
    {
        var vault = Loaded();
        byte[] text = [1, 2, 3], cipher = new byte[3], tag = new byte[12], back = new byte[3];
        Assert.True(vault.TrySeal(Guek, Gak, 0x30, new byte[12], [9], text, cipher, tag));
        using (var gcm = new AesGcm(Key(KeySlot.EncryptionUnicast), 12))
            gcm.Decrypt(new byte[12], cipher, tag, back, (byte[])[0x30, .. Key(KeySlot.Authentication), 9]);
        Assert.Equal(text, back);
        Assert.True(vault.TryOpen(Guek, Gak, 0x30, new byte[12], [9], cipher, tag, back));
        Assert.False(vault.TryOpen(Guek, KeySlot.None, 0x30, new byte[12], [9], cipher, tag, back));
        tag[0] ^= 1;
        Assert.False(vault.TryOpen(Guek, Gak, 0x30, new byte[12], [9], cipher, tag, back));
        Assert.False(new KeyVault().TrySeal(Guek, KeySlot.None, 0, new byte[12], [], text, cipher, tag));
    }

    [Fact]
    public void AWrappedKeyGoesInUnderTheMasterKeyOnly()
    {
        var vault = Loaded();
        var fresh = SHA256.HashData("fresh"u8)[..16];
        var wrapped = AesKeyWrap.Wrap(Key(KeySlot.Master), fresh);
        Assert.False(vault.TryUnwrap(KeySlot.MBusDefault, wrapped, KeySlot.EncryptionUnicast));
        Assert.True(vault.TryUnwrap(KeySlot.Master, wrapped, KeySlot.EncryptionUnicast));
        byte[] cipher = new byte[4], tag = new byte[12], back = new byte[4];
        Assert.True(vault.TrySeal(Guek, KeySlot.None, 0x30, new byte[12], [], [4, 3, 2, 1], cipher, tag));
        using var gcm = new AesGcm(fresh, 12);
        gcm.Decrypt(new byte[12], cipher, tag, back, (byte[])[0x30]);
        Assert.Equal([4, 3, 2, 1], back);
    }

    /// <summary>RFC 3394, 4.1 (128 bits under 128) and 4.6 (256 under 256).</summary>
    [Theory]
    [InlineData("000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
        "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")]
    [InlineData("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")]
    public void TheKeyWrapGivesThePublishedVectors(string kek, string key, string wrapped)
    {
        Assert.Equal(Convert.FromHexString(wrapped),
            AesKeyWrap.Wrap(Convert.FromHexString(kek), Convert.FromHexString(key)));
        var back = new byte[key.Length / 2];
        Assert.True(AesKeyWrap.TryUnwrap(Convert.FromHexString(kek), Convert.FromHexString(wrapped), back));
        Assert.Equal(key, Convert.ToHexString(back));
        var bent = Convert.FromHexString(wrapped);
        bent[3] ^= 1;
        Assert.False(AesKeyWrap.TryUnwrap(Convert.FromHexString(kek), bent, back));
        Assert.Equal(new byte[key.Length / 2], back);
    }

    [Theory]
    [InlineData(32, 16)]
    [InlineData(48, 32)]
    public void TwoVaultsAgreeOnOneKey(int scalarBytes, int keyBytes)
    {
        var curve = scalarBytes == 32 ? NistCurve.P256 : NistCurve.P384;
        KeyVault Made(ulong seed)
        {
            var trng = new Trng(seed, "L", NoiseCondition.Sound);
            trng.PowerOn(0);
            var vault = new KeyVault();
            Assert.True(vault.TryGenerate(curve, trng));
            return vault;
        }
        KeyVault one = Made(1), two = Made(2), three = Made(3);
        Assert.True(one.TryAgree(two.AgreementKey!, [1, 2], KeySlot.EncryptionUnicast));
        Assert.True(two.TryAgree(one.AgreementKey!, [1, 2], KeySlot.EncryptionUnicast));
        Assert.True(three.TryAgree(one.AgreementKey!, [1, 2], KeySlot.EncryptionUnicast));
        byte[] cipher = new byte[4], tag = new byte[12], back = new byte[4];
        one.TrySeal(Guek, KeySlot.None, 0, new byte[12], [], [1, 2, 3, 4], cipher, tag);
        Assert.True(two.TryOpen(Guek, KeySlot.None, 0, new byte[12], [], cipher, tag, back));
        Assert.False(three.TryOpen(Guek, KeySlot.None, 0, new byte[12], [], cipher, tag, back));

        // The one-step KDF, by hand: SHA(00000001 ‖ Z ‖ OtherInfo) with the platform's raw agreement.
        var draw = new Trng(1, "L", NoiseCondition.Sound);
        draw.PowerOn(0);
        byte[] skip = new byte[scalarBytes], d = new byte[scalarBytes];
        Assert.True(draw.TryScalar(curve, skip) && draw.TryScalar(curve, d));
        using var own = ECDiffieHellman.Create(new ECParameters { Curve = curve.Platform, D = d });
        var q = two.AgreementKey!.Point;
        using var peer = ECDiffieHellman.Create(new ECParameters
        {
            Curve = curve.Platform,
            Q = new ECPoint { X = q[..scalarBytes].ToArray(), Y = q[scalarBytes..].ToArray() }
        });
        var key = curve.Digest([0, 0, 0, 1, .. own.DeriveRawSecretAgreement(peer.PublicKey), 1, 2])[..keyBytes];
        using var gcm = new AesGcm(key, 12);
        gcm.Decrypt(new byte[12], cipher, tag, back, (byte[])[0]);
        Assert.Equal([1, 2, 3, 4], back);
    }

    [Fact]
    public void AZeroisedVaultHoldsAndTakesNothing()
    {
        var chip = Chips.New();
        chip.Vault.Load(KeySlot.LlsPassword, "12345678"u8);
        Assert.True(chip.Vault.IsPassword("12345678"u8));
        Assert.False(chip.Vault.IsPassword("12345679"u8));
        chip.Vault.Zeroise();
        for (var slot = KeySlot.Master; slot <= KeySlot.KeyAgreement; slot++) Assert.False(chip.Vault.Holds(slot));
        Assert.False(chip.Vault.IsPassword("12345678"u8));
        Assert.False(chip.Vault.TrySign(new byte[32], new byte[64]));
        Assert.False(chip.Vault.TryGenerate(NistCurve.P256, chip.Trng));
        Assert.Throws<InvalidOperationException>(() => chip.Vault.Load(KeySlot.Master, new byte[16]));
        Assert.Equal("key vault, zeroised", chip.Vault.ToString());
        Assert.Null(chip.Quote(1, 0, default, Chips.Start));
    }

    [Fact]
    public void WrongSlotsAndLengthsAreErrorsWithoutTheKey()
    {
        var secret = Convert.FromHexString("A1A2A3A4A5A6A7A8A9");
        var error = Assert.Throws<ArgumentException>(() => new KeyVault().Load(KeySlot.Master, secret));
        Assert.DoesNotContain("A1A2", error.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Throws<ArgumentException>(() => new KeyVault().Load(KeySlot.DeviceSigning, new byte[16]));
        Assert.False(Loaded().TryUnwrap(KeySlot.Master, new byte[23], KeySlot.Authentication));
        Assert.False(new KeyVault().TryAgree(Chips.Maker.PublicKey, [], KeySlot.Master));
    }

    private static byte[] Key(KeySlot slot) => SHA256.HashData([(byte)slot])[..16];

    private static KeyVault Loaded()
    {
        var vault = new KeyVault();
        for (var slot = KeySlot.Master; slot < KeySlot.LlsPassword; slot++) vault.Load(slot, Key(slot));
        return vault;
    }

#pragma warning disable CA1822, CS0649 // Members that leak in every way there is, to show that the search sees them.
    private sealed class Leaky
    {
        internal byte[]? Open;
        internal byte[] Private => [1];
        internal void Copy(Span<byte> to) => to.Clear();
        public bool Out(out byte[] key) => (key = []).Length == 0;
        internal ECDsa? Lend() => null;
        internal bool Fine(ReadOnlySpan<byte> key) => key.IsEmpty;
        internal EcPublicKey? Half => null;
    }
#pragma warning restore CA1822, CS0649
}
