namespace Twin.Hardware.Wire;

/// <summary>
/// The check sequence of HDLC (ISO/IEC 13239), CRC-16/X-25: polynomial 0x1021 reflected, start 0xFFFF, complemented.
/// Its published check value over "123456789" is 0x906E. On the wire the low byte comes first.
/// </summary>
public static class Crc16
{
    private static readonly ushort[] Table = MakeTable();

    private static ushort[] MakeTable()
    {
        var table = new ushort[256];
        for (var i = 0; i < 256; i++)
        {
            var c = i;
            for (var bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? (c >> 1) ^ 0x8408 : c >> 1;
            table[i] = (ushort)c;
        }
        return table;
    }

    public static ushort Of(ReadOnlySpan<byte> bytes)
    {
        var table = Table;
        var crc = 0xFFFF;
        foreach (var b in bytes) crc = (crc >> 8) ^ table[(crc ^ b) & 0xFF];
        return (ushort)(crc ^ 0xFFFF);
    }

    /// <summary>True when the last two bytes are the check sequence of those before them.</summary>
    internal static bool Closes(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 2 && Of(bytes[..^2]) == (bytes[^2] | bytes[^1] << 8);
}
