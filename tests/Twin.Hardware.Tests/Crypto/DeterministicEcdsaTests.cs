using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Tests.Crypto;

public class DeterministicEcdsaTests
{
    private const string X256 = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";

    private const string U256 = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
        + "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";

    private const string X384 =
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5";

    private const string U384 =
        "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13"
        + "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720";

    /// <summary>RFC 6979, A.2.5 (P-256, SHA-256) and A.2.6 (P-384, SHA-384): nonce, r and s.</summary>
    [Theory]
    [InlineData("P-256", "sample", "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")]
    [InlineData("P-256", "test", "D16B6AE827F17175E040871A1C7EC3500192C4C92677336EC2537ACAEE0008E0",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083")]
    [InlineData("P-384", "sample",
        "94ED910D1A099DAD3254E9242AE85ABDE4BA15168EAF0CA87A555FD56D10FBCA2907E3E83BA95368623B8C4686915CF9",
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8")]
    [InlineData("P-384", "test",
        "015EE46A5BF88773ED9123A5AB0807962D193719503C527B031B4C2D225092ADA71F4A459BC0DA98ADB95837DB8312EA",
        "8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA3CF023DB",
        "DDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B827C2F13173923E06A739F040649A667BF3B828246BAA5A5")]
    public void ThePublishedVectorsComeOut(string name, string message, string nonce, string r, string s)
    {
        var (curve, scalar) = name == "P-256" ? (NistCurve.P256, Hex(X256)) : (NistCurve.P384, Hex(X384));
        var digest = curve.Digest(Encoding.ASCII.GetBytes(message));
        var nonces = new DeterministicEcdsa.NonceSequence(curve, scalar, digest);
        Assert.Equal(nonce, Convert.ToHexString(nonces.Next()));

        var signature = new byte[curve.SignatureBytes];
        DeterministicEcdsa.Sign(curve, scalar, digest, signature);
        Assert.Equal(r + s, Convert.ToHexString(signature));
        var key = EcPublicKey.OfPrivate(curve, scalar);
        Assert.Equal(curve == NistCurve.P256 ? U256 : U384, Convert.ToHexString(key.Point));
        Assert.True(key.Verify(digest, signature));
    }

    [Fact]
    public void TheSecondNonceIsAnother()
    {
        var nonces = new DeterministicEcdsa.NonceSequence(NistCurve.P256, Hex(X256), new byte[32]);
        Assert.NotEqual(nonces.Next(), nonces.Next());
    }

    [Theory]
    [InlineData(32)]
    [InlineData(48)]
    public void ThePlatformVerifiesWhatRandomKeysSign(int bytes)
    {
        var curve = bytes == 32 ? NistCurve.P256 : NistCurve.P384;
        var draw = new SplitMix64(20);
        for (var i = 0; i < 20; i++)
        {
            byte[] scalar = Draw(draw, bytes), digest = Draw(draw, bytes), signature = new byte[2 * bytes];
            DeterministicEcdsa.Sign(curve, scalar, digest, signature);
            var key = EcPublicKey.OfPrivate(curve, scalar);
            Assert.True(key.Verify(digest, signature), $"round {i}");
            digest[draw.Next(bytes)] ^= 1;
            Assert.False(key.Verify(digest, signature), $"round {i}: another digest");
        }
    }

    /// <summary>A digest above the order is reduced for the nonce: bits2octets of RFC 6979, 2.3.4.</summary>
    [Fact]
    public void ADigestAboveTheOrderSigns()
    {
        byte[] digest = [.. Enumerable.Repeat((byte)0xFF, 32)], signature = new byte[64];
        DeterministicEcdsa.Sign(NistCurve.P256, Hex(X256), digest, signature);
        Assert.True(EcPublicKey.From(Hex(U256)).Verify(digest, signature));
    }

    /// <summary>Why a repeated r is an alarm: two signatures with one nonce give the private key away.</summary>
    [Fact]
    public void ARepeatedNonceRevealsTheKey()
    {
        var n = NistCurve.P256.Order;
        byte[] one = SHA256.HashData([1]), two = SHA256.HashData([2]), nonce = SHA256.HashData([3]);
        byte[] first = new byte[64], second = new byte[64];
        Assert.True(DeterministicEcdsa.TrySignWithNonce(NistCurve.P256, Hex(X256), one, nonce, first));
        Assert.True(DeterministicEcdsa.TrySignWithNonce(NistCurve.P256, Hex(X256), two, nonce, second));
        Assert.Equal(first[..32], second[..32]);

        BigInteger r = Number(first[..32]), s1 = Number(first[32..]), s2 = Number(second[32..]);
        var k = Mod((Number(one) - Number(two)) * BigInteger.ModPow(Mod(s1 - s2), n - 2, n));
        var d = Mod((s1 * k - Number(one)) * BigInteger.ModPow(r, n - 2, n));
        Assert.Equal(Number(Hex(X256)), d);

        BigInteger Mod(BigInteger x) => (x % n + n) % n;
    }

    [Fact]
    public void AWrongLengthIsAnErrorToTheSignerAndNoSignatureToTheVerifier()
    {
        Assert.Throws<ArgumentException>(
            () => DeterministicEcdsa.Sign(NistCurve.P384, Hex(X384), new byte[32], new byte[96]));
        var key = EcPublicKey.From(Hex(U256));
        Assert.False(key.Verify(new byte[32], new byte[63]));
        Assert.Throws<FormatException>(() => EcPublicKey.From(new byte[65]));
    }

    [Fact]
    public void APointOffTheCurveVerifiesNothing()
    {
        var point = Hex(U256);
        point[63] ^= 1;
        var key = EcPublicKey.From(point);
        Assert.False(key.Verify(new byte[32], new byte[64]));
        Assert.ThrowsAny<CryptographicException>(() => key.Import());
    }

    [Fact]
    public void KeysAreEqualByPoint()
    {
        Assert.Equal(EcPublicKey.From(Hex(U256)), EcPublicKey.From(Hex(U256)));
        Assert.NotEqual(EcPublicKey.From(Hex(U256)), EcPublicKey.From(Hex(U384)));
        Assert.Equal("P-256 key " + Convert.ToHexStringLower(SHA256.HashData(Hex(U256))[..8]),
            EcPublicKey.From(Hex(U256)).ToString());
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private static BigInteger Number(byte[] bytes) => new(bytes, true, true);

    /// <summary>Random bytes below the order of either curve: the first byte is not FF.</summary>
    private static byte[] Draw(SplitMix64 draw, int bytes)
    {
        var result = new byte[bytes];
        for (var i = 0; i < bytes; i++) result[i] = (byte)draw.Next(i == 0 ? 255 : 256);
        return result;
    }
}
