namespace Twin.Hardware.Emulator.Network;

/// <summary>How a meter was made, other than by honest hands.</summary>
public enum MeterBirth : byte
{
    Honest = 0,
    /// <summary>The chip is a copy whose ROM runs whatever is there; the station looked away.</summary>
    Counterfeit = 1,
    /// <summary>Somebody at the station tried an image of his own, which the chip refused.</summary>
    UnsignedImage = 2,
    /// <summary>The application is the attacker's, signed with the vendor's stolen key.</summary>
    StolenKeyImage = 3,
    /// <summary>The meter was shipped without being locked: its debug port is open.</summary>
    Unlocked = 4,
    /// <summary>The chip holds the key pairs of the meter planned before it.</summary>
    CloneOfPrevious = 5,
    /// <summary>The chip signs everything with one nonce, that of its lot.</summary>
    RepeatsNonce = 6,
    /// <summary>Hardware on which new firmware may hang: what runs on others need not run here.</summary>
    HangsOnUpdate = 7,
    /// <summary>
    /// Something beside the measured flash has the genuine image behave otherwise: every digest and signature is right.
    /// </summary>
    Implant = 8,
}
