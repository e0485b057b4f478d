using System.Security.Cryptography;
using System.Text;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Signatures;
using Twin.Ingest.Text;

namespace Twin.Silo.Storage;

/// <summary>
/// The key that seals a ledger: ECDSA on P-256 (FIPS 186-5), PKCS #8 in a PEM file that only its owner may read. It is
/// made when there is none. Beside it may lie a key of ML-DSA-65 (FIPS 204), made when it is asked for: then each seal
/// has a signature of both. A backup has neither: what was restored seals with a key of its own.
/// </summary>
public sealed class LedgerKey : IDisposable
{
    /// <summary>Name of the file in a data directory, and what the name of the file beside it ends with.</summary>
    public const string FileName = "ledger.key", PostQuantumSuffix = ".mldsa";

    private const string Label = "PRIVATE KEY";

    private readonly ECDsa _key;
    private readonly IMessageSigner? _other;

    private LedgerKey(ECDsa key, IMessageSigner? other) =>
        (_key, _other, Public) = (key, other, key.ExportSubjectPublicKeyInfo());

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public byte[] Public { get; }

    /// <summary>The public key that signs as well; null without.</summary>
    public KnownKey? PublicOther => _other?.Public;

    /// <param name="file">Of the ECDSA key.</param>
    /// <param name="tell">Hears that a key is there which this edition cannot sign with.</param>
    /// <exception cref="DataDirectoryException">The file is there and is no such key.</exception>
    public static LedgerKey OpenOrMake(string file, Action<string>? tell = null)
    {
        if (!File.Exists(file)) MakeEcdsa(file);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(BoundedFile.ReadText(file, BoundedFile.SmallBytes));
            if (key.KeySize < 256) throw new CryptographicException($"a key of {key.KeySize} bits is too short");
            // A public key alone reads as well, and cannot sign.
            key.SignData([], HashAlgorithmName.SHA256);
            return new LedgerKey(key, Other(file, tell));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new DataDirectoryException($"{file} is no private key that can seal the ledger ({e.Message}). Put "
                + "the right file there; or take it away: a new one is made, and 'metertwin verify' names both.", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The key beside; null when there is none or this edition cannot sign with it.</summary>
    internal static IMessageSigner? Other(string file, Action<string>? tell = null)
    {
        var other = file + PostQuantumSuffix;
        if (!File.Exists(other)) return null;
        if (Edition.MlDsaKey is not { } make)
        {
            tell?.Invoke($"{other} is there, and edition {Edition.Name} cannot sign with it: seals are ECDSA alone.");
            return null;
        }
        var text = BoundedFile.ReadText(other, BoundedFile.SmallBytes);
        var seed = Array.Empty<byte>();
        if (!PemEncoding.TryFind(text, out var pem) || text[pem.Label] is not Label
            || !MlDsaForms.TryReadSeed(Convert.FromBase64String(text[pem.Base64Data]), out seed))
            throw new DataDirectoryException($"{other} is no private key of ML-DSA-65 (PKCS #8 with its seed, RFC "
                + "9881). Put the right file there; or take it away: the ledger is sealed by ECDSA alone then.", null);
        return make(seed);
    }

    /// <summary>Makes the key beside; false when it is there.</summary>
    /// <exception cref="ArgumentException">This edition cannot sign with one.</exception>
    public static bool MakeOther(string file)
    {
        if (Edition.MlDsaKey is null)
            throw new ArgumentException($"Edition {Edition.Name} has no ML-DSA; it needs edition full: dotnet build "
                + "-c Release -p:Edition=full.");
        if (File.Exists(file + PostQuantumSuffix)) return false;
        var seed = RandomNumberGenerator.GetBytes(MlDsaForms.SeedBytes);
        var info = MlDsaForms.PrivateInfo(seed);
        Write(file + PostQuantumSuffix, PemEncoding.WriteString(Label, info));
        CryptographicOperations.ZeroMemory(seed);
        CryptographicOperations.ZeroMemory(info);
        return true;
    }

    private static void MakeEcdsa(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write(file, key.ExportPkcs8PrivateKeyPem());
    }

    private static void Write(string file, string text)
    {
        var pem = Encoding.ASCII.GetBytes(text + "\n");
        AtomicFile.Write(file, stream =>
        {
            if (!OperatingSystem.IsWindows() && stream is FileStream f)
                File.SetUnixFileMode(f.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            stream.Write(pem);
        });
        CryptographicOperations.ZeroMemory(pem);
    }

    public LedgerSeal Seal(LedgerChain end, UnixTime at)
    {
        if (_other is not { Public: var known }) return new(end.Number, at, Public, Sign(end.ToBeSigned()));
        var message = LedgerSeal.ToBeSigned(end, Public, [known]);
        return new(end.Number, at, Public, Sign(message))
        {
            Also = new SignatureList([new(known.Algorithm, known.KeyId, known.Key, _other.Sign(message))]),
        };
    }

    /// <summary>ECDSA with SHA-256; r and s side by side (IEEE P1363).</summary>
    public byte[] Sign(byte[] data) => _key.SignData(data, HashAlgorithmName.SHA256);

    public void Dispose() => _key.Dispose();
}
