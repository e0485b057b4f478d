using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Bits that can be burned once: whose images the chip takes, the least security version of each part, which of the
/// ROM's keys are in force or revoked, what signatures a part must have, and the lock of the debug port. Nothing here
/// ever goes back.
/// </summary>
public sealed class Fuses
{
    /// <summary>Anchors a chip has room for: the first, and three successors over its life. More are refused.</summary>
    public const int MaxAnchors = 4;

    private readonly byte[][] _anchors = new byte[MaxAnchors][];
    private readonly ushort[] _security = new ushort[CakQuote.Parts + 1];
    private readonly byte[] _inForce = new byte[CakQuote.Parts + 1];
    private readonly SignaturePolicy[] _policies = new SignaturePolicy[CakQuote.Parts + 1];
    private byte _revoked, _revokedRom;

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

    /// <summary>True when the part has run an image that this key of the ROM signed: it takes none without.</summary>
    public bool IsInForce(FirmwarePart part, int romKey) => (_inForce[(int)part] & 1 << romKey) != 0;

    /// <summary>Puts keys of the ROM in force for a part, a bit for each.</summary>
    internal void PutInForce(FirmwarePart part, byte romKeys) => _inForce[(int)part] |= romKeys;

    /// <summary>True when a key of the ROM counts for nothing any more.</summary>
    public bool IsRevoked(int romKey) => (_revokedRom & 1 << romKey) != 0;

    /// <summary>Revokes a key of the ROM for ever.</summary>
    internal void Revoke(int romKey) => _revokedRom |= (byte)(1 << romKey);

    /// <summary>What was required of a part so far; the ROM may require more.</summary>
    public SignaturePolicy Policy(FirmwarePart part) => _policies[(int)part];

    /// <summary>Raises what is required of a part; a lesser requirement changes nothing.</summary>
    internal void Require(FirmwarePart part, SignaturePolicy policy) =>
        _policies[(int)part] = policy > _policies[(int)part] ? policy : _policies[(int)part];

    public void LockDebugPort() => IsDebugPortLocked = true;

    private int Find(EcPublicKey key)
    {
        var fingerprint = key.Fingerprint();
        for (var i = 0; i < Anchors; i++)
            if (CryptographicOperations.FixedTimeEquals(_anchors[i], fingerprint)) return i;
        return -1;
    }
}
