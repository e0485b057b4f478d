using System.Security.Cryptography;
using System.Text;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Ingest.Text;

namespace Twin.Silo.Storage;

/// <summary>
/// The key that seals a ledger: ECDSA on P-256 (FIPS 186-5), PKCS #8 in a PEM file that only its owner may read. It is
/// made when there is none. A backup does not have it: what was restored seals with a key of its own.
/// </summary>
public sealed class LedgerKey : IDisposable
{
    /// <summary>Name of the file in a data directory.</summary>
    public const string FileName = "ledger.key";

    private readonly ECDsa _key;

    private LedgerKey(ECDsa key) => (_key, Public) = (key, key.ExportSubjectPublicKeyInfo());

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public byte[] Public { get; }

    /// <exception cref="DataDirectoryException">The file is there and is no such key.</exception>
    public static LedgerKey OpenOrMake(string file)
    {
        if (!File.Exists(file)) Make(file);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(BoundedFile.ReadText(file, BoundedFile.SmallBytes));
            if (key.KeySize < 256) throw new CryptographicException($"a key of {key.KeySize} bits is too short");
            // A public key alone reads as well, and cannot sign.
            key.SignData([], HashAlgorithmName.SHA256);
            return new LedgerKey(key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new DataDirectoryException($"{file} is no private key that can seal the ledger ({e.Message}). Put "
                + "the right file there; or take it away: a new one is made, and 'metertwin verify' names both.", e);
        }
    }

    private static void Make(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n");
        AtomicFile.Write(file, stream =>
        {
            if (!OperatingSystem.IsWindows() && stream is FileStream f)
                File.SetUnixFileMode(f.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            stream.Write(pem);
        });
        CryptographicOperations.ZeroMemory(pem);
    }

    public LedgerSeal Seal(LedgerChain end, UnixTime at) => new(end.Number, at, Public, Sign(end.ToBeSigned()));

    /// <summary>ECDSA with SHA-256; r and s side by side (IEEE P1363).</summary>
    public byte[] Sign(byte[] data) => _key.SignData(data, HashAlgorithmName.SHA256);

    public void Dispose() => _key.Dispose();
}
