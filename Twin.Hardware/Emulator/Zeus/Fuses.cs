using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Bits that can be burned once: whose images the chip takes, the least security version of each part, and the lock of
/// the debug port. Nothing here ever goes back.
/// </summary>
public sealed class Fuses
{
    /// <summary>Anchors a chip has room for: the first, and three successors over its life. More are refused.</summary>
    public const int MaxAnchors = 4;

    private readonly byte[][] _anchors = new byte[MaxAnchors][];
    private readonly ushort[] _security = new ushort[CakQuote.Parts + 1];
    private byte _revoked;

    public int Anchors { get; private set; }
    public bool IsDebugPortLocked { get; private set; }

    /// <summary>Burns the fingerprint of a key whose images are to be taken; false when there is no room.</summary>
    public bool TryBurnAnchor(EcPublicKey key)
    {
        if (Trusts(key)) return true;
        if (Anchors == MaxAnchors) return false;
        _anchors[Anchors++] = key.Fingerprint();
        return true;
    }

    /// <summary>Revokes an anchor for ever; false when it is not one.</summary>
    public bool TryRevoke(EcPublicKey key)
    {
        var at = Find(key);
        if (at < 0) return false;
        _revoked |= (byte)(1 << at);
        return true;
    }

    public bool Trusts(EcPublicKey key) => Find(key) is >= 0 and var at && (_revoked & 1 << at) == 0;

    /// <summary>Least security version of a part that still runs.</summary>
    public ushort LeastSecurity(FirmwarePart part) => _security[(int)part];

    /// <summary>Raises the least security version; a lower one changes nothing.</summary>
    public void RaiseSecurity(FirmwarePart part, ushort version) =>
        _security[(int)part] = Math.Max(_security[(int)part], version);

    public void LockDebugPort() => IsDebugPortLocked = true;

    private int Find(EcPublicKey key)
    {
        var fingerprint = key.Fingerprint();
        for (var i = 0; i < Anchors; i++)
            if (CryptographicOperations.FixedTimeEquals(_anchors[i], fingerprint)) return i;
        return -1;
    }
}
