// aws_sd: one kind for several services of AWS, by its role.

import type { SectionOf } from '../../../config/discovery-keys.js';
import type { Session } from '../../session.js';
import { discoverEc2 } from './ec2.js';
import { discoverEcs } from './ecs.js';
import { discoverElastiCache } from './elasticache.js';
import { discoverLightsail } from './lightsail.js';
import { discoverMsk } from './msk.js';
import { discoverRds } from './rds.js';

export function discoverAws(section: SectionOf<'aws'>, session: Session): Promise<void> {
  switch (section.role) {
    case 'ec2':
      return discoverEc2(section, session);
    case 'ecs':
      return discoverEcs(section, session);
    case 'elasticache':
      return discoverElastiCache(section, session);
    case 'lightsail':
      return discoverLightsail(section, session);
    case 'msk':
      return discoverMsk(section, session);
    case 'rds':
      return discoverRds(section, session);
    default:
      throw new Error(`role ${section.role} is not supported`);
  }
}
