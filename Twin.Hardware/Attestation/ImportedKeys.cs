using System.Security.Cryptography;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Attestation;

/// <summary>
/// Public keys imported by the platform, for verifiers that see the same meters again: an import takes two thirds of
/// the time of a verification more. At the bound all are let go and imported again as they come. A key takes about 4
/// KiB. For one thread at a time. An answer never depends on what is held.
/// </summary>
public sealed class ImportedKeys(int maxKeys = ImportedKeys.DefaultMaxKeys) : IDisposable
{
    /// <summary>16 MiB.</summary>
    public const int DefaultMaxKeys = 4096;

    private readonly Dictionary<EcPublicKey, ECDsa> _keys = [];

    public int Count => _keys.Count;

    /// <summary>As <see cref="EcPublicKey.Verify"/>.</summary>
    public bool Verify(EcPublicKey key, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != key.Curve.SignatureBytes) return false;
        if (!_keys.TryGetValue(key, out var imported))
        {
            if (_keys.Count >= maxKeys) Dispose();
            try
            {
                imported = key.Import();
            }
            catch (CryptographicException)
            {
                return false;
            }
            _keys[key] = imported;
        }
        return imported.VerifyHash(digest, signature);
    }

    public void Dispose()
    {
        foreach (var key in _keys.Values) key.Dispose();
        _keys.Clear();
    }
}
