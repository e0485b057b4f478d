using System.Buffers.Binary;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// Big-endian pull reader over a message. The first failure sticks: everything read after it is zero or empty, and
/// <see cref="Error"/> tells the first. It never throws; a loop over it must stop when <see cref="Failed"/>.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;
    private WireError _error;

    public readonly int Position => _at;
    public readonly int Left => _bytes.Length - _at;
    public readonly bool Failed => _error.IsError;
    public readonly WireError Error => _error;

    /// <summary>Records a failure at this place. Always false, so that a decoder can return it.</summary>
    public bool Fail(WireCode code) => Fail(code, _at);

    public bool Fail(WireCode code, int at)
    {
        if (!_error.IsError) _error = new WireError(code, Math.Clamp(at, 0, _bytes.Length));
        return false;
    }

    public byte Byte()
    {
        var b = Bytes(1);
        return b.IsEmpty ? (byte)0 : b[0];
    }

    /// <summary>The next byte without taking it; 0 at the end.</summary>
    public readonly byte Peek() => _error.IsError || _at >= _bytes.Length ? (byte)0 : _bytes[_at];

    public ushort UInt16()
    {
        var b = Bytes(2);
        return b.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(b);
    }

    public uint UInt32()
    {
        var b = Bytes(4);
        return b.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32BigEndian(b);
    }

    /// <summary>Takes so many bytes; empty when they are not there.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (_error.IsError) return default;
        if (count < 0 || count > _bytes.Length - _at)
        {
            Fail(WireCode.Truncated);
            return default;
        }
        var b = _bytes.Slice(_at, count);
        _at += count;
        return b;
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Bytes(Left);

    /// <summary>
    /// A length as A-XDR and BER write it: one byte below 0x80, else 0x81 to 0x84 and as many bytes. A length that
    /// needs more than 31 bits is refused.
    /// </summary>
    public int Length()
    {
        var at = _at;
        var first = Byte();
        if (first < 0x80) return first;
        if (first is < 0x81 or > 0x84)
        {
            Fail(WireCode.BadLength, at);
            return 0;
        }
        long value = 0;
        foreach (var b in Bytes(first - 0x80)) value = (value << 8) | b;
        if (value <= int.MaxValue) return (int)value;
        Fail(WireCode.BadLength, at);
        return 0;
    }

    /// <summary>An OCTET STRING: its length, then its bytes.</summary>
    public ReadOnlySpan<byte> Octets() => Bytes(Length());

    /// <summary>True when all went well and nothing is left; else records what is wrong.</summary>
    public bool AtEnd() => !Failed && (Left == 0 || Fail(WireCode.TrailingBytes));
}

/// <summary>What <see cref="ByteWriter"/> needs for the big-endian encodings of the wire.</summary>
public static class WireWriting
{
    public static void BigUInt16(this ByteWriter w, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(w.GetSpan(2), value);
        w.Advance(2);
    }

    public static void BigUInt32(this ByteWriter w, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(w.GetSpan(4), value);
        w.Advance(4);
    }

    public static void BigUInt64(this ByteWriter w, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(w.GetSpan(8), value);
        w.Advance(8);
    }

    /// <summary>A length as A-XDR and BER write it, in the fewest bytes.</summary>
    public static void WireLength(this ByteWriter w, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length >= 0x80)
        {
            var bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
            w.Byte((byte)(0x80 | bytes));
            for (var i = bytes - 1; i > 0; i--) w.Byte((byte)(length >> (8 * i) & 0xFF));
        }
        w.Byte((byte)(length & 0xFF));
    }

    /// <summary>An OCTET STRING: its length, then its bytes.</summary>
    public static void Octets(this ByteWriter w, ReadOnlySpan<byte> bytes)
    {
        w.WireLength(bytes.Length);
        w.Bytes(bytes);
    }
}
