using System.Buffers.Binary;
using System.Security.Cryptography;
using Twin.Hardware.Attestation;

namespace Twin.Hardware.Events;

/// <summary>
/// What a meter does on its own when an event happens, with or without the head-end: one action an event kind. Tables
/// are numbered; a meter takes only a higher number, signed by the head-end (ECDSA P-256 with SHA-256, FIPS 186-5).
/// <para>
/// Encoding, big-endian: version 1, table number (4), hold in seconds (4), number of rows (1), rows of event and action
/// (1 each, events ascending), then the signature r‖s of 64 bytes over all before it.
/// </para>
/// </summary>
public sealed class ReactionTable
{
    public const byte EncodingVersion = 1;
    public const int SignatureBytes = 64;

    /// <summary>Rows of a table: one an event kind. More are refused.</summary>
    public const int MaxRows = 255;

    /// <summary>Longest hold, seconds: 30 days. A longer one is refused: nobody may lock a meter for ever.</summary>
    public const uint MaxHoldSeconds = 30 * 86_400;

    private const int HeadBytes = 10;
    private readonly SortedDictionary<MeterEventKind, ReactionAction> _rows;

    /// <param name="version">Number of the table, from 1 on.</param>
    /// <param name="holdSeconds">How long a rate limit or a refusal of writes lasts after its event.</param>
    /// <param name="rows">What differs from <see cref="ReactionAction.Log"/>.</param>
    public ReactionTable(uint version, uint holdSeconds, IEnumerable<KeyValuePair<MeterEventKind, ReactionAction>> rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(holdSeconds, MaxHoldSeconds);
        (Version, HoldSeconds) = (version, holdSeconds);
        _rows = new SortedDictionary<MeterEventKind, ReactionAction>(rows.ToDictionary(r => r.Key, r => r.Value));
        Digest = Digest.Of(Encode());
    }

    public uint Version { get; }
    public uint HoldSeconds { get; }

    /// <summary>SHA-256 of the encoding without signature: what the attestation log names the table by.</summary>
    public Digest Digest { get; }

    public int Rows => _rows.Count;

    /// <summary>What to do on an event. Events without a row are logged.</summary>
    public ReactionAction On(MeterEventKind kind) => _rows.GetValueOrDefault(kind, ReactionAction.Log);

    /// <summary>
    /// What a new meter comes with. Attacks on firmware or logins and an opened case close it to writes for an hour;
    /// frames that fail or come again only slow writes down, as anybody can send those; the rest is reported or logged.
    /// </summary>
    public static ReactionTable Default { get; } = new(1, 3_600, new Dictionary<MeterEventKind, ReactionAction>
    {
        [MeterEventKind.Unmapped] = ReactionAction.Ignore,
        [MeterEventKind.LoginFailed] = ReactionAction.RefuseWrites,
        [MeterEventKind.DecryptionFailed] = ReactionAction.RateLimit,
        [MeterEventKind.ReplayAttack] = ReactionAction.RateLimit,
        [MeterEventKind.FirmwareVerificationFailed] = ReactionAction.RefuseWrites,
        [MeterEventKind.KeysChanged] = ReactionAction.Report,
        [MeterEventKind.ConfigurationChanged] = ReactionAction.Report,
        [MeterEventKind.LocalSessionOpened] = ReactionAction.Report,
        [MeterEventKind.EventLogCleared] = ReactionAction.Report,
        [MeterEventKind.TerminalCoverOpened] = ReactionAction.Report,
        [MeterEventKind.MeterCoverOpened] = ReactionAction.RefuseWrites,
        [MeterEventKind.ModuleCoverOpened] = ReactionAction.Report,
        [MeterEventKind.MagneticFieldOn] = ReactionAction.Report,
        [MeterEventKind.ClockInvalid] = ReactionAction.Report,
        [MeterEventKind.FirmwareActivated] = ReactionAction.Report,
        [MeterEventKind.RemoteDisconnection] = ReactionAction.Report,
        [MeterEventKind.RemoteReconnection] = ReactionAction.Report,
        [MeterEventKind.SwitchRateLimited] = ReactionAction.RateLimit,
    });

    /// <summary>The bytes that the signature covers.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[HeadBytes + 2 * _rows.Count];
        bytes[0] = EncodingVersion;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), Version);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(5), HoldSeconds);
        bytes[9] = (byte)_rows.Count;
        var at = HeadBytes;
        foreach (var (kind, action) in _rows) (bytes[at++], bytes[at++]) = ((byte)kind, (byte)action);
        return bytes;
    }

    /// <summary>Encoding and signature.</summary>
    /// <param name="sign">Signs a SHA-256 digest with the head-end's key: r‖s, 64 bytes.</param>
    public byte[] ToSigned(Func<byte[], byte[]> sign)
    {
        var bytes = Encode();
        var signature = sign(SHA256.HashData(bytes));
        if (signature.Length != SignatureBytes)
            throw new ArgumentException($"A P-256 signature has {SignatureBytes} bytes, this one {signature.Length}.");
        return [.. bytes, .. signature];
    }

    /// <summary>
    /// Reads encoding and signature; false with a reason when the bytes are no table. Verifies nothing.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> signed, out ReactionTable table, out string reason)
    {
        table = Default;
        if (signed.Length < HeadBytes + SignatureBytes)
            return Fail($"a signed table has at least {HeadBytes + SignatureBytes} bytes", out reason);
        if (signed[0] != EncodingVersion)
            return Fail($"the table has encoding version {signed[0]}, this MeterTwin knows {EncodingVersion}",
                out reason);
        var (count, hold) = (signed[9], BinaryPrimitives.ReadUInt32BigEndian(signed[5..]));
        if (signed.Length != HeadBytes + 2 * count + SignatureBytes)
            return Fail($"a table of {count} rows does not have {signed.Length} bytes", out reason);
        if (hold > MaxHoldSeconds) return Fail($"a hold of {hold} s is over {MaxHoldSeconds} s", out reason);
        var rows = new KeyValuePair<MeterEventKind, ReactionAction>[count];
        for (var i = 0; i < count; i++)
        {
            var (kind, action) = ((MeterEventKind)signed[HeadBytes + 2 * i],
                (ReactionAction)signed[HeadBytes + 2 * i + 1]);
            if (!Enum.IsDefined(kind) || !Enum.IsDefined(action) || (i > 0 && kind <= rows[i - 1].Key))
                return Fail($"row {i} of the table is none, or out of order", out reason);
            rows[i] = new(kind, action);
        }
        table = new ReactionTable(BinaryPrimitives.ReadUInt32BigEndian(signed[1..]), hold, rows);
        reason = "";
        return true;
    }

    /// <summary>Reads a table that this head-end signed; false with a reason otherwise.</summary>
    /// <param name="headEndKey">X‖Y of a P-256 key, 64 bytes.</param>
    public static bool TryVerify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> headEndKey, out ReactionTable table,
        out string reason)
    {
        if (!TryRead(signed, out table, out reason)) return false;
        if (headEndKey.Length == 64
            && CakQuote.IsSignedBy(signed, signed.Length - SignatureBytes, headEndKey)) return true;
        table = Default;
        return Fail("the table is not signed by this head-end", out reason);
    }

    private static bool Fail(string why, out string reason)
    {
        reason = why;
        return false;
    }
}
