using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>Who is at the optical port: tool, contractor, and the work order that is quoted.</summary>
public readonly record struct FieldTool(string Tool, string Contractor, string Order);

/// <summary>
/// What a tool has to show at the optical port: a password (low level, mechanism 1), or an answer to the meter's
/// challenge by GMAC under the port's key (high level, mechanism 5). A delegate, so that a card can hold the key.
/// </summary>
public sealed class PortCredential
{
    private readonly byte[]? _password;
    private readonly Func<byte[], byte[]>? _answer;

    private PortCredential(byte[]? password, Func<byte[], byte[]>? answer) => (_password, _answer) = (password, answer);

    public static PortCredential Password(ReadOnlySpan<byte> password) => new(password.ToArray(), null);

    /// <param name="answer">Takes the challenge, gives nonce (12 bytes) and tag (12 bytes).</param>
    public static PortCredential Answer(Func<byte[], byte[]> answer) => new(null, answer);

    /// <summary>A tool that holds the key itself: the honest one, or one that was stolen.</summary>
    public static PortCredential Key(byte[] opticalKey, ulong toolTitle, uint counter = 1) => Answer(challenge =>
    {
        var answer = new byte[KeyVault.NonceBytes + KeyVault.TagBytes];
        MeterKeys.Title(toolTitle).CopyTo(answer, 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(8), counter);
        using var gcm = new AesGcm(opticalKey, KeyVault.TagBytes);
        gcm.Encrypt(answer.AsSpan(0, KeyVault.NonceBytes), [], [], answer.AsSpan(KeyVault.NonceBytes),
            [ApplicationCore.PortControl, .. challenge]);
        return answer;
    });

    internal byte Mechanism => _password is null ? (byte)5 : (byte)1;
    internal byte[] Show(byte[] challenge) => _password ?? _answer!(challenge);
    public override string ToString() => $"credential of mechanism {Mechanism}";
}

/// <summary>
/// An open association at the optical port. What is written goes at once to the application core; closing it makes the
/// report of the session, and an entry in the attestation log when something was written.
/// </summary>
public sealed class LocalSession
{
    private readonly ZeusMeter _meter;
    private readonly bool _mayWrite;
    private int _writes;

    internal LocalSession(ZeusMeter meter, FieldTool tool, byte mechanism, bool mayWrite, UnixTime now)
    {
        (_meter, Tool, Mechanism, _mayWrite, Opened) = (meter, tool, mechanism, mayWrite, now);
    }

    public FieldTool Tool { get; }
    public byte Mechanism { get; }
    public UnixTime Opened { get; }
    public bool IsOpen => _meter.Application.IsOpen(this);

    /// <summary>Bit per <see cref="FrameService"/> used.</summary>
    internal byte Services { get; private set; }

    /// <summary>Requests that were carried out and wrote something; stands still at 65,535.</summary>
    internal ushort Writes => (ushort)Math.Min(_writes, ushort.MaxValue);

    /// <summary>Sends a request of <see cref="MeterCommands"/>.</summary>
    public CommandResult Send(ReadOnlySpan<byte> request, UnixTime now)
    {
        if (!IsOpen) return CommandResult.Failed;
        if (!CosemRequest.TryRead(request, out var read, out _)) return CommandResult.Failed;
        var service = read.Service == ApduTag.SetRequest ? FrameService.Set
            : read.Target is { ClassId: 18, Index: MeterCommands.BlockMethod } ? FrameService.ImageBlock
            : read.Service == ApduTag.ActionRequest ? FrameService.Action : FrameService.Get;
        Services |= (byte)(1 << (int)service);
        var result = _meter.Execute(read, new Caller(CommandOrigin.OpticalPort, Tool.Tool, Tool.Order, _mayWrite), now);
        if (result is CommandResult.Done or CommandResult.Delayed && _writes < int.MaxValue) _writes++;
        return result;
    }

    /// <summary>Installs an image through the port.</summary>
    public bool Install(FirmwareImage image, UnixTime now)
    {
        if (!IsOpen || !_mayWrite) return false;
        Services |= 1 << (int)FrameService.ImageBlock;
        var done = _meter.Install(image, new Caller(CommandOrigin.OpticalPort, Tool.Tool, Tool.Order, true), now);
        if (done) _writes++;
        return done;
    }

    public void Close(UnixTime now) => _meter.Application.CloseSession(this, now);
}

public sealed partial class ApplicationCore
{
    internal const byte PortControl = 0x10;

    /// <summary>Failed logins in a row that make the event of failed logins.</summary>
    public const int FailuresOfEvent = 3;

    /// <summary>From so many failures in a row on the port is shut for <see cref="LockSeconds"/>.</summary>
    public const int FailuresOfLock = 5;

    public const int LockSeconds = 900;

    private int _failures;
    private long _lockedUntil = long.MinValue;
    private LocalSession? _session;

    /// <summary>Failed logins since the last that succeeded; kept without power only as the lock.</summary>
    public int FailedLogins => _failures;

    internal bool IsOpen(LocalSession session) => IsRunning && ReferenceEquals(_session, session);

    /// <summary>Opens an association at the optical port; null when it is refused. One can be open.</summary>
    internal LocalSession? OpenSession(ZeusMeter meter, FieldTool tool, PortCredential credential, UnixTime now)
    {
        if (!IsRunning) return null;
        var shown = Shown(now);
        var challenge = new byte[16];
        var allowed = shown.Seconds >= _lockedUntil && _chip.Trng.TryFill(challenge)
            && IsGenuine(credential, challenge);
        if (!allowed)
        {
            if (_failures < int.MaxValue) _failures++;
            if (_failures % FailuresOfEvent == 0) Happen(MeterEventKind.LoginFailed, now);
            if (_failures % FailuresOfLock == 0) _lockedUntil = shown.Seconds + LockSeconds;
            ReportSession(tool, credential.Mechanism, false, 1 << (int)FrameService.Association, 0, shown);
            return null;
        }
        if (_session is { } before) CloseSession(before, now);
        _failures = 0;
        _session = new LocalSession(meter, tool, credential.Mechanism,
            credential.Mechanism >= 2 || _spec.PasswordMayWrite, shown);
        Happen(MeterEventKind.LocalSessionOpened, now);
        return _session;
    }

    private bool IsGenuine(PortCredential credential, byte[] challenge)
    {
        var shownBytes = credential.Show(challenge);
        if (credential.Mechanism == 1) return _chip.Vault.IsPassword(shownBytes);
        return shownBytes.Length == KeyVault.NonceBytes + KeyVault.TagBytes
            && _chip.Vault.TryOpen(KeySlot.OpticalPort, KeySlot.None, PortControl,
                shownBytes.AsSpan(0, KeyVault.NonceBytes), challenge, [], shownBytes.AsSpan(KeyVault.NonceBytes), []);
    }

    internal void CloseSession(LocalSession session, UnixTime now)
    {
        if (!IsOpen(session)) return;
        _session = null;
        var shown = Shown(now);
        if (session.Writes > 0)
            _chip.Record(new CakEvent(CakEntryKind.LocalSession, FirmwarePart.Device, Detail: session.Writes), shown);
        Happen(MeterEventKind.LocalSessionClosed, now);
        ReportSession(session.Tool, session.Mechanism, true,
            (byte)(session.Services | 1 << (int)FrameService.Association),
            (int)Math.Clamp(shown.Seconds - session.Opened.Seconds, 0, int.MaxValue), shown);
    }

    private void ReportSession(FieldTool tool, byte mechanism, bool succeeded, byte services, int seconds,
        UnixTime shown) =>
        Report(new Session(Meter.Twin, shown, CommandOrigin.OpticalPort, 1, mechanism, succeeded, services, seconds,
            tool.Tool, tool.Contractor, tool.Order));
}
