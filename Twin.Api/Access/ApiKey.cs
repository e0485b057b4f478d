using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Twin.Grains.Access;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A key as its holder has it: <c>mt_</c>, 16 hexadecimal digits that name it, <c>_</c>, 43 characters that are the
/// secret (256 random bits). The service keeps a salt and a digest.
/// </summary>
public static class ApiKey
{
    private const string Prefix = "mt_";
    private const int SecretBytes = 32, SecretLength = 43, NameLength = 16;
    private const int Length = 3 + NameLength + 1 + SecretLength;

    /// <summary>Makes a key for somebody. The text is shown once and is nowhere else.</summary>
    public static (string Text, KeyIssued Input) Make(UnixTime at, Actor by, string holder, UnixTime? expires,
        string why)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var salt = RandomNumberGenerator.GetBytes(KeyIssued.SaltBytes);
        var id = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        return (string.Create(CultureInfo.InvariantCulture, $"{Prefix}{id:x16}_{secret}"),
            new KeyIssued(at, by, id, holder, salt, Digest(salt, secret), expires, why));
    }

    /// <summary>How people and the ledger name a key.</summary>
    public static string NameOf(ulong id) => string.Create(CultureInfo.InvariantCulture, $"key:{id:x16}");

    public static bool TryReadName(string name, out ulong id)
    {
        id = 0;
        return name.StartsWith("key:", StringComparison.Ordinal) && ulong.TryParse(name.AsSpan(4),
            NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id);
    }

    /// <summary>Reads the form of a key; says nothing of whether there is such a one.</summary>
    public static bool TryRead(string text, out ulong id, out string secret)
    {
        (id, secret) = (0, "");
        if (text.Length != Length || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || text[Prefix.Length + NameLength] != '_'
            || !ulong.TryParse(text.AsSpan(Prefix.Length, NameLength), NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out id)) return false;
        secret = text[^SecretLength..];
        return true;
    }

    /// <summary>True when the secret is that of the key; takes as long for a wrong one as for the right one.</summary>
    public static bool Fits(KeyRecord key, string secret) =>
        CryptographicOperations.FixedTimeEquals(key.Digest, Digest(key.Salt, secret));

    private static byte[] Digest(byte[] salt, string secret) =>
        SHA256.HashData([.. salt, .. Encoding.ASCII.GetBytes(secret)]);
}
