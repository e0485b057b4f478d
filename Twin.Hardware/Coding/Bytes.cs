using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace Twin.Hardware.Coding;

/// <summary>
/// Appends the canonical encoding: little-endian fixed widths, LEB128 variable-length integers, UTF-8 text behind its
/// length. One value has one encoding, because <c>state_hash</c> is taken over these bytes.
/// </summary>
public sealed class ByteWriter : IBufferWriter<byte>
{
    private byte[] _buffer;
    private int _length;

    public ByteWriter(int capacity = 256) => _buffer = new byte[Math.Max(16, capacity)];

    public int Length => _length;
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _length);
    public byte[] ToArray() => Written.ToArray();
    public void Clear() => _length = 0;

    /// <summary>Cuts back to an earlier length.</summary>
    public void Truncate(int length) => _length = length <= _length ? length
        : throw new ArgumentOutOfRangeException(nameof(length));

    public void Byte(byte value)
    {
        if (_length == _buffer.Length) Grow(1);
        _buffer[_length++] = value;
    }

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(GetSpan(8), value);
        _length += 8;
    }

    public void Double(double value) => UInt64(BitConverter.DoubleToUInt64Bits(value));

    public void Single(float value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(GetSpan(4), value);
        _length += 4;
    }

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(GetSpan(2), value);
        _length += 2;
    }

    /// <summary>LEB128, 1 to 10 bytes.</summary>
    public void VarUInt(ulong value)
    {
        var span = GetSpan(10);
        var n = 0;
        while (value >= 0x80)
        {
            span[n++] = (byte)(value & 0x7F | 0x80);
            value >>= 7;
        }
        span[n++] = (byte)value;
        _length += n;
    }

    /// <summary>Zigzag, then LEB128.</summary>
    public void VarInt(long value) => VarUInt(unchecked((ulong)((value << 1) ^ (value >> 63))));

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Length, then the bytes.</summary>
    public void Blob(ReadOnlySpan<byte> bytes)
    {
        VarUInt((ulong)bytes.Length);
        Bytes(bytes);
    }

    public void Text(string? text)
    {
        text ??= "";
        var n = Encoding.UTF8.GetByteCount(text);
        VarUInt((ulong)n);
        Encoding.UTF8.GetBytes(text, GetSpan(n));
        _length += n;
    }

    public void Advance(int count) => _length = checked(_length + count) <= _buffer.Length
        ? _length + count : throw new ArgumentOutOfRangeException(nameof(count));

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(1, sizeHint));
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        if (_buffer.Length - _length < Math.Max(1, sizeHint)) Grow(sizeHint);
        return _buffer.AsSpan(_length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int more)
    {
        var needed = checked(_length + Math.Max(1, more));
        if (needed > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(needed, (int)Math.Min(int.MaxValue / 2, _buffer.Length * 2L)));
    }
}

/// <summary>
/// Reads the canonical encoding. Every read is bounds-checked; damaged input gives <see cref="InvalidDataException"/>
/// that names the offset, never a wild read or an unbounded allocation.
/// </summary>
public ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    public readonly int Position => _at;
    public readonly int Left => _bytes.Length - _at;
    public readonly bool AtEnd => _at == _bytes.Length;
    public readonly ReadOnlySpan<byte> Rest => _bytes[_at..];

    public byte Byte()
    {
        if (_at >= _bytes.Length) Short(1);
        return _bytes[_at++];
    }

    public bool Bool() => Byte() switch { 0 => false, 1 => true, var b => throw Bad($"a truth value is {b}") };

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));
    public double Double() => BitConverter.UInt64BitsToDouble(UInt64());
    public float Single() => BinaryPrimitives.ReadSingleLittleEndian(Bytes(4));
    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

    /// <summary>A byte that must lie in [min, max]: the number of a known kind.</summary>
    public byte Byte(int min, int max)
    {
        var b = Byte();
        return b >= min && b <= max ? b : throw Bad($"{b} is not in {min} to {max}");
    }

    public ulong VarUInt()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var b = Byte();
            if (shift == 63 && b > 1) throw Bad("a variable-length integer is over 64 bits");
            value |= (ulong)(b & 0x7F) << shift;
            if (b == 0 && shift > 0) throw Bad("a variable-length integer is longer than it need be");
            if (b < 0x80) return value;
        }
        throw Bad("a variable-length integer has no end");
    }

    public long VarInt()
    {
        var v = VarUInt();
        return (long)(v >> 1) ^ -(long)(v & 1);
    }

    /// <summary>A zigzag integer that must fit 32 bits.</summary>
    public int Int()
    {
        var v = VarInt();
        return v is >= int.MinValue and <= int.MaxValue ? (int)v : throw Bad($"{v} is over 32 bits");
    }

    /// <summary>A variable-length integer that must lie in [0, max].</summary>
    public int Count(int max)
    {
        var v = VarUInt();
        return v <= (ulong)max ? (int)v : throw Bad($"a count of {v} is over its bound {max}");
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _bytes.Length - _at) Short(count);
        var slice = _bytes.Slice(_at, count);
        _at += count;
        return slice;
    }

    public ReadOnlySpan<byte> Blob() => Bytes(Count(Left));

    public string Text()
    {
        var bytes = Blob();
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Bad("a text is not UTF-8");
    }

    private readonly void Short(int wanted) => throw Bad($"{wanted} more bytes are needed, {Left} are left");

    public readonly InvalidDataException Bad(string what) => new($"Damaged encoding at byte {_at}: {what}.");
}
