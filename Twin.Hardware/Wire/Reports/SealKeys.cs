using System.Security.Cryptography;

namespace Twin.Hardware.Wire.Reports;

/// <summary>How a load profile stands to the seal of its meter's metrology.</summary>
public enum SealVerdict : byte
{
    /// <summary>The metrology key of the meter is not known: nothing can be said.</summary>
    NoKey = 0,
    /// <summary>The profile has no seal.</summary>
    Missing = 1,
    /// <summary>The metrology measured what the profile tells.</summary>
    Holds = 2,
    /// <summary>The profile tells otherwise than the metrology measured, or its seal cannot be read.</summary>
    Broken = 3,
}

/// <summary>
/// Metrology keys of meters, for whoever holds load profiles against their seals. Set before use; then safe for many
/// threads at once. Its text shows no key.
/// </summary>
public sealed class SealKeys : IDisposable
{
    private readonly Dictionary<ulong, byte[]> _keys = [];

    public int Count => _keys.Count;

    /// <summary>Sets a meter's key, 16 or 32 bytes; the one before it is forgotten.</summary>
    /// <exception cref="ArgumentException">A wrong length. The text holds no key.</exception>
    public void Set(MeterId meter, ReadOnlySpan<byte> metrologyKey)
    {
        if (metrologyKey.Length is not (16 or 32))
            throw new ArgumentException($"A metrology key has 16 or 32 bytes, this one {metrologyKey.Length}.");
        if (_keys.Remove(meter.Value, out var old)) CryptographicOperations.ZeroMemory(old);
        _keys.Add(meter.Value, metrologyKey.ToArray());
    }

    /// <summary>Holds the rows of a load profile against its seal; an empty seal is none.</summary>
    public SealVerdict Judge(MeterId meter, ReadOnlySpan<ProfileRow> rows, ReadOnlySpan<byte> seal)
    {
        if (!_keys.TryGetValue(meter.Value, out var key)) return SealVerdict.NoKey;
        if (seal.IsEmpty) return SealVerdict.Missing;
        return PeriodSeal.TryRead(seal, meter.Value, out var read) && read!.IsOver(rows, key) ? SealVerdict.Holds
            : SealVerdict.Broken;
    }

    public void Dispose()
    {
        foreach (var key in _keys.Values) CryptographicOperations.ZeroMemory(key);
        _keys.Clear();
    }

    public override string ToString() => $"metrology keys of {Count} meters";
}
