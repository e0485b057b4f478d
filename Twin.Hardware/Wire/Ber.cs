using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>The little of BER that the association control messages need.</summary>
internal static class Ber
{
    /// <summary>
    /// joint-iso-ccitt country(16) 756 identified-organisation DLMS-UA(8): head of all identifiers here.
    /// </summary>
    private static ReadOnlySpan<byte> Registry => [0x60, 0x85, 0x74, 0x05, 0x08];

    private const byte ContextArc = 1, MechanismArc = 2;

    public static void Open(scoped ref WireReader r, ApduTag tag)
    {
        if (r.Byte() != (byte)tag) r.Fail(WireCode.UnknownTag, 0);
        var length = r.Length();
        if (r.Failed || length == r.Left) return;
        r.Fail(length > r.Left ? WireCode.Truncated : WireCode.TrailingBytes, r.Position + Math.Min(length, r.Left));
    }

    /// <summary>A value inside another: the outer tag, the inner tag, the value.</summary>
    public static void Nested(ByteWriter w, byte outer, byte inner, ReadOnlySpan<byte> value)
    {
        w.Byte(outer);
        w.WireLength(1 + LengthBytes(value.Length) + value.Length);
        w.Byte(inner);
        w.Octets(value);
    }

    private static int LengthBytes(int length) => length < 0x80 ? 1 : length < 0x100 ? 2 : 3;

    public static void Context(ByteWriter w, bool isCiphered)
    {
        w.Bytes([0xA1, 9, 6, 7]);
        w.Bytes(Registry);
        w.Bytes([ContextArc, isCiphered ? (byte)3 : (byte)1]);
    }

    public static void MechanismName(ByteWriter w, byte tag, Mechanism mechanism)
    {
        w.Bytes([tag, 7]);
        w.Bytes(Registry);
        w.Bytes([MechanismArc, (byte)mechanism]);
    }

    /// <summary>The value behind an inner tag that must be there and fill its content.</summary>
    public static ReadOnlySpan<byte> Inner(scoped ref WireReader r, ReadOnlySpan<byte> content, byte tag, int at)
    {
        var inner = new WireReader(content);
        var found = inner.Byte();
        var value = inner.Octets();
        if (found != tag || !inner.AtEnd()) r.Fail(found != tag ? WireCode.UnknownTag : WireCode.BadLength, at);
        return r.Failed ? default : value;
    }

    /// <summary>The last number of an identifier under the DLMS registry; 0 and a failure for any other.</summary>
    private static byte LastArc(scoped ref WireReader r, ReadOnlySpan<byte> identifier, byte arc, int at)
    {
        if (identifier.Length == 7 && identifier.StartsWith(Registry) && identifier[5] == arc) return identifier[6];
        r.Fail(WireCode.BadValue, at);
        return 0;
    }

    /// <summary>The fields of AARQ and AARE that are used; a field that is not known here is passed over.</summary>
    public ref struct Fields
    {
        public bool IsResponse;
        public byte Context;
        public Mechanism Mechanism;
        public byte Result, Diagnostic;
        public int UserId;
        public ReadOnlySpan<byte> Title, Value, UserInformation;

        /// <summary>Reads one field off the message.</summary>
        public void Read(ref WireReader r)
        {
            var at = r.Position;
            var tag = r.Byte();
            var content = r.Octets();
            if (r.Failed) return;
            switch (tag)
            {
                case 0xA1: Context = LastArc(ref r, Inner(ref r, content, 0x06, at), ContextArc, at); break;
                case 0xA2 when IsResponse: Result = Small(ref r, Inner(ref r, content, 0x02, at), at); break;
                case 0xA3 when IsResponse: Diagnostic = ReadDiagnostic(ref r, content, at); break;
                case 0xA4 when IsResponse: ReadTitle(ref r, content, at); break;
                case 0xA6 when !IsResponse: ReadTitle(ref r, content, at); break;
                case 0xA9 when !IsResponse: UserId = Small(ref r, Inner(ref r, content, 0x02, at), at); break;
                case 0x89 when IsResponse: ReadMechanism(ref r, content, at); break;
                case 0x8B when !IsResponse: ReadMechanism(ref r, content, at); break;
                case 0xAA when IsResponse: Value = Inner(ref r, content, 0x80, at); break;
                case 0xAC when !IsResponse: Value = Inner(ref r, content, 0x80, at); break;
                case 0xBE: UserInformation = Inner(ref r, content, 0x04, at); break;
                case 0x80 or 0x88 or 0x8A or >= 0xA2 and <= 0xAF or 0xBD: break;
                default: r.Fail(WireCode.UnknownTag, at); break;
            }
        }

        private void ReadTitle(scoped ref WireReader r, ReadOnlySpan<byte> content, int at)
        {
            Title = Inner(ref r, content, 0x04, at);
            if (Title.Length is not (0 or Protected.SystemTitleBytes)) r.Fail(WireCode.BadLength, at);
        }

        private void ReadMechanism(scoped ref WireReader r, ReadOnlySpan<byte> content, int at)
        {
            var number = LastArc(ref r, content, MechanismArc, at);
            if (number > (byte)Mechanism.HlsEcdsa) r.Fail(WireCode.BadValue, at);
            Mechanism = (Mechanism)number;
        }

        private static byte ReadDiagnostic(scoped ref WireReader r, ReadOnlySpan<byte> content, int at)
        {
            var source = content.IsEmpty ? (byte)0 : content[0];
            if (source is not (0xA1 or 0xA2)) r.Fail(WireCode.BadValue, at);
            var inner = Inner(ref r, content, source, at);
            return Small(ref r, Inner(ref r, inner, 0x02, at), at);
        }

        private static byte Small(scoped ref WireReader r, ReadOnlySpan<byte> value, int at)
        {
            if (value.Length == 1) return value[0];
            r.Fail(WireCode.BadLength, at);
            return 0;
        }
    }
}
