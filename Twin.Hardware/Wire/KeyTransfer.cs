using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// The parameter of the methods key_transfer and key_agreement of the security setup (class 64): an array of structures
/// of key id (enum) and key data (octet-string): the key wrapped by the master key, or an ephemeral public key with its
/// signature.
/// </summary>
public static class KeyTransfer
{
    /// <summary>Keys in one transfer; more are refused.</summary>
    public const int MaxKeys = 8;

    private const int MaxDataBytes = 192;

    /// <summary>One key of a transfer.</summary>
    public readonly record struct Entry(KeyUse Use, byte[] Data);

    public static void Write(ByteWriter to, ReadOnlySpan<Entry> keys)
    {
        var w = new CosemWriter(to);
        w.Array(keys.Length);
        foreach (var key in keys)
        {
            w.Structure(2);
            w.Enum((byte)key.Use);
            w.OctetString(key.Data);
        }
    }

    /// <summary>Key ids are 0 to 3 (GUEK, GBEK, GAK, KEK), each at most once.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out Entry[] keys, out WireError error)
    {
        keys = [];
        var reader = new CosemReader(data);
        if (!reader.TryNext(out var array)) return Refuse(reader.Error, out error);
        if (array.Tag != CosemTag.Array) return Refuse(new WireError(WireCode.WrongType, 0), out error);
        if (array.Count is 0 or > MaxKeys) return Refuse(new WireError(WireCode.TooManyElements, 0), out error);
        var result = new Entry[array.Count];
        var seen = 0;
        for (var i = 0; i < result.Length; i++)
        {
            if (!reader.TryNext(out var pair)) return Refuse(reader.Error, out error);
            if (pair.Tag != CosemTag.Structure || pair.Count != 2)
                return Refuse(new WireError(WireCode.WrongType, pair.Offset), out error);
            if (!reader.TryNext(out var id) || !reader.TryNext(out var key)) return Refuse(reader.Error, out error);
            if (id.Tag != CosemTag.Enum || key.Tag != CosemTag.OctetString)
                return Refuse(new WireError(WireCode.WrongType, id.Offset), out error);
            if (id.Content[0] > (byte)KeyUse.Master || (seen >> id.Content[0] & 1) != 0
                || key.Content.Length > MaxDataBytes)
                return Refuse(new WireError(WireCode.BadValue, id.Offset), out error);
            seen |= 1 << id.Content[0];
            result[i] = new Entry((KeyUse)id.Content[0], key.Content.ToArray());
        }
        if (!reader.IsDone || reader.Position != data.Length)
            return Refuse(new WireError(WireCode.TrailingBytes, reader.Position), out error);
        (keys, error) = (result, default);
        return true;
    }

    private static bool Refuse(WireError found, out WireError error)
    {
        error = found.IsError ? found : new WireError(WireCode.Truncated, found.Offset);
        return false;
    }
}
