using System.Security.Cryptography;
using Org.BouncyCastle.Pqc.Crypto.Lms;
using Twin.Hardware.PostQuantum;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Tests.PostQuantum;

/// <summary>Answers that others know: NIST's ACVP for ML-DSA-65, and appendix F of RFC 8554.</summary>
public class VectorTests
{
    private static IEnumerable<Dictionary<string, string>> Cases(string resource)
    {
        using var stream = typeof(VectorTests).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        var (found, name) = (new Dictionary<string, string>(), "");
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            if (line.Length == 0)
            {
                if (found.Count > 0) yield return found;
                found = [];
            }
            else if (line.StartsWith("  ", StringComparison.Ordinal)) found[name] += line.Trim();
            else
            {
                name = line.Split(" =")[0];
                found[name] = line.Split(" =")[1].Trim();
            }
        }
        yield return found;
    }

    private static byte[] Bytes(Dictionary<string, string> of, string name) => Convert.FromHexString(of[name]);

    private static List<Dictionary<string, string>> MlDsa(string kind) =>
        [.. Cases("mldsa65.txt").Where(c => c["case"] == kind)];

    [Fact]
    public void KeysFollowFromTheirSeeds()
    {
        var cases = MlDsa("keyGen");
        foreach (var c in cases)
        {
            var key = new MlDsaKey(Bytes(c, "seed"));
            Assert.Equal(Bytes(c, "pk"), key.Public.Key.ToArray());
            Assert.Equal(Bytes(c, "sk_sha256"), SHA256.HashData(key.Encode()));
        }
        Assert.Equal(3, cases.Count);
    }

    [Fact]
    public void DeterministicSignaturesAreThoseOfTheStandard()
    {
        var cases = MlDsa("sigGen");
        foreach (var c in cases)
        {
            var key = MlDsaKey.Expanded(Bytes(c, "sk"));
            Assert.Equal(Bytes(c, "signature"), key.Sign(Bytes(c, "message"), Bytes(c, "context")));
        }
        Assert.Equal(3, cases.Count);
    }

    [Fact]
    public void VerificationAnswersAsTheStandardDoes()
    {
        var cases = MlDsa("sigVer");
        foreach (var c in cases)
            Assert.True((c["passed"] == "true") == MlDsaKey.Check(Bytes(c, "pk"), Bytes(c, "message"),
                Bytes(c, "signature"), Bytes(c, "context")), c["reason"]);
        Assert.Equal((6, 2), (cases.Count, cases.Count(c => c["passed"] == "true")));
    }

    [Fact]
    public void TheExamplesOfTheLmsRfcVerifyAndBentOnesDoNot()
    {
        var cases = Cases("rfc8554.txt").ToList();
        foreach (var c in cases)
        {
            var (key, message, signature) = (Bytes(c, "public_key"), Bytes(c, "message"), Bytes(c, "signature"));
            Assert.True(LmsKey.Check(key, message, signature));
            Assert.False(LmsKey.Check(key, message, [.. signature, 0]));
            Assert.False(LmsKey.Check([.. key, 0], message, signature));
            for (var i = 0; i < signature.Length; i += 61)
            {
                var bent = signature.ToArray();
                bent[i] ^= 0x10;
                Assert.False(LmsKey.Check(key, message, bent), $"byte {i}");
                Assert.False(LmsKey.Check(key, message, signature.AsSpan(0, i)), $"{i} bytes");
            }
            message[3] ^= 1;
            Assert.False(LmsKey.Check(key, message, signature));
        }
        Assert.Equal(2, cases.Count);
    }

    /// <summary>Test case 2 gives the seeds of its trees: the first is a key as releases have it.</summary>
    [Fact]
    public void KeysOfLmsFollowFromTheirSeeds()
    {
        var c = Cases("rfc8554.txt").Last();
        var key = new LmsKey(10, Convert.FromHexString("d08fabd4a2091ff0a8cb4ed834e74534"),
            Convert.FromHexString("558b8966c48ae9cb898b423c83443aae014a72f1b1ab5cc85cf1d892903b5439"),
            (out uint index) => (index = 0) == 0);
        Assert.Equal(Bytes(c, "public_key")[4..], key.Public.Key.Span[4..].ToArray());
        var lower = Lms.GenerateKeys(LMSigParameters.lms_sha256_n32_h5, LMOtsParameters.sha256_n32_w8, 0,
            Convert.FromHexString("215f83b7ccb9acbcd08db97b0d04dc2b"),
            Convert.FromHexString("a1c4696e2608035a886100d05cd99945eb3370731884a8235e2fb3d4d71f2547"));
        Assert.Contains(Convert.ToHexStringLower(lower.GetPublicKey().GetEncoded()), c["signature"],
            StringComparison.Ordinal);
    }

    [Fact]
    public void EnvelopesAreThoseOfRfc9881()
    {
        var key = MlDsaKey.Emulated(1, "envelope");
        var known = Org.BouncyCastle.Security.PublicKeyFactory.CreateKey(MlDsaForms.PublicInfo(key.Public.Key.Span));
        Assert.Equal(key.Public.Key.ToArray(),
            ((Org.BouncyCastle.Crypto.Parameters.MLDsaPublicKeyParameters)known).GetEncoded());
        var seed = SHA256.HashData("seed"u8);
        var made = (Org.BouncyCastle.Crypto.Parameters.MLDsaPrivateKeyParameters)
            Org.BouncyCastle.Security.PrivateKeyFactory.CreateKey(MlDsaForms.PrivateInfo(seed));
        Assert.Equal(new MlDsaKey(seed).Public.Key.ToArray(), made.GetPublicKeyEncoded());
    }
}
