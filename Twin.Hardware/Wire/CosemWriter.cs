using System.Buffers.Binary;
using System.Text;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>
/// Writes COSEM data in A-XDR. An array or structure is written as its head; exactly so many data must follow.
/// </summary>
public readonly struct CosemWriter(ByteWriter to)
{
    public ByteWriter To => to;

    private ByteWriter Tag(CosemTag tag)
    {
        to.Byte((byte)tag);
        return to;
    }

    public void Null() => Tag(CosemTag.Null);
    public void Array(int count) => Tag(CosemTag.Array).WireLength(count);
    public void Structure(int count) => Tag(CosemTag.Structure).WireLength(count);
    public void Boolean(bool value) => Tag(CosemTag.Boolean).Byte(value ? (byte)1 : (byte)0);
    public void Integer(sbyte value) => Tag(CosemTag.Integer).Byte(unchecked((byte)value));
    public void Unsigned(byte value) => Tag(CosemTag.Unsigned).Byte(value);
    public void Enum(byte value) => Tag(CosemTag.Enum).Byte(value);
    public void Bcd(byte value) => Tag(CosemTag.Bcd).Byte(value);
    public void Long(short value) => Tag(CosemTag.Long).BigUInt16(unchecked((ushort)value));
    public void LongUnsigned(ushort value) => Tag(CosemTag.LongUnsigned).BigUInt16(value);
    public void DoubleLong(int value) => Tag(CosemTag.DoubleLong).BigUInt32(unchecked((uint)value));
    public void DoubleLongUnsigned(uint value) => Tag(CosemTag.DoubleLongUnsigned).BigUInt32(value);
    public void Long64(long value) => Tag(CosemTag.Long64).BigUInt64(unchecked((ulong)value));
    public void Long64Unsigned(ulong value) => Tag(CosemTag.Long64Unsigned).BigUInt64(value);
    public void Float32(float value) => Tag(CosemTag.Float32).BigUInt32(BitConverter.SingleToUInt32Bits(value));
    public void Float64(double value) => Tag(CosemTag.Float64).BigUInt64(BitConverter.DoubleToUInt64Bits(value));
    public void OctetString(ReadOnlySpan<byte> bytes) => Tag(CosemTag.OctetString).Octets(bytes);

    /// <summary>A logical name, as an octet-string of six bytes.</summary>
    public void LogicalName(Obis obis)
    {
        Span<byte> six = stackalloc byte[Obis.Bytes];
        obis.CopyTo(six);
        OctetString(six);
    }

    /// <summary>Printable ASCII.</summary>
    public void VisibleString(string text)
    {
        if (text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException("A visible-string holds printable ASCII only. Write utf8-string instead.");
        Tag(CosemTag.VisibleString).Octets(Encoding.ASCII.GetBytes(text));
    }

    public void Utf8String(string text) => Tag(CosemTag.Utf8String).Octets(Encoding.UTF8.GetBytes(text));

    /// <summary>So many bits, the first in the highest place of the first byte.</summary>
    public void BitString(ReadOnlySpan<byte> bits, int count)
    {
        if (bits.Length != (count + 7) / 8)
            throw new ArgumentException($"{count} bits take {(count + 7) / 8} bytes, not {bits.Length}.");
        Tag(CosemTag.BitString).WireLength(count);
        to.Bytes(bits);
    }

    public void DateTime(CosemDateTime time) => time.Write(Tag(CosemTag.DateTime));

    /// <summary>A date-time as an octet-string, as registers and clocks carry it.</summary>
    public void DateTimeOctets(CosemDateTime time)
    {
        Tag(CosemTag.OctetString).Byte(CosemDateTime.Bytes);
        time.Write(to);
    }

    /// <summary>The five bytes of a date.</summary>
    public void Date(CosemDateTime time) => Part(CosemTag.Date, time, 0, 5);

    /// <summary>The four bytes of a time.</summary>
    public void Time(CosemDateTime time) => Part(CosemTag.Time, time, 5, 4);

    private void Part(CosemTag tag, CosemDateTime time, int from, int count)
    {
        Span<byte> all = stackalloc byte[CosemDateTime.Bytes];
        time.CopyTo(all);
        Tag(tag).Bytes(all.Slice(from, count));
    }

    /// <summary>
    /// A compact-array: the description of an element (tag; for an array 0x01, count on 2 bytes, type; for a structure
    /// 0x02, count, types) and the values without tags.
    /// </summary>
    public void CompactArray(ReadOnlySpan<byte> elementType, ReadOnlySpan<byte> contents)
    {
        Tag(CosemTag.CompactArray).Bytes(elementType);
        to.Octets(contents);
    }

    /// <summary>Data that are encoded already.</summary>
    public void Raw(ReadOnlySpan<byte> data) => to.Bytes(data);
}
